"""The COCO API in Python, on a file or on a dataset of a running server.

`COCO` has the methods, arguments, attributes and results of ``pycocotools.coco.COCO``, so a script
that was written for pycocotools runs with one line changed:

    from app.client import COCO

    coco = COCO("instances.json")
    coco = COCO("http://localhost:8000/datasets/3", token="...")

docs/coco-api.md has the whole table, the REST routes beside it, and where it differs on purpose.
"""

from app.client.coco import COCO
from app.client.errors import (
    BadFile,
    BadGeometry,
    BadResults,
    ClientError,
    ServerError,
    UnknownId,
)

__all__ = [
    "COCO",
    "BadFile",
    "BadGeometry",
    "BadResults",
    "ClientError",
    "ServerError",
    "UnknownId",
]
