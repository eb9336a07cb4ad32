"""The tables, one module per group."""

from app.models.annotations import Annotation, AnnotationVersion
from app.models.base import Base
from app.models.datasets import ROLES, Category, Dataset, DatasetCount, DatasetMember
from app.models.images import STATUSES, Blob, CachedFile, Image
from app.models.jobs import FINISHED_STATES, JOB_STATES, Job
from app.models.predictions import PREDICTION_STATES, Prediction, PredictionSet
from app.models.tasks import (
    AnnotationTask,
    CategoryTask,
    DatasetTask,
    ImageTask,
    PanopticImage,
)
from app.models.users import ApiToken, SignInFailure, User, UserSession

__all__ = [
    "FINISHED_STATES",
    "JOB_STATES",
    "PREDICTION_STATES",
    "ROLES",
    "STATUSES",
    "Annotation",
    "AnnotationTask",
    "AnnotationVersion",
    "ApiToken",
    "Base",
    "Blob",
    "CachedFile",
    "Category",
    "CategoryTask",
    "Dataset",
    "DatasetCount",
    "DatasetMember",
    "DatasetTask",
    "Image",
    "ImageTask",
    "Job",
    "PanopticImage",
    "Prediction",
    "PredictionSet",
    "SignInFailure",
    "User",
    "UserSession",
]
