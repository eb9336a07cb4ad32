"""Pages of datasets: the list, and the tabs of one except its images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from app.api import deps, paging
from app.api.categories import CategoryOut
from app.models import STATUSES, Category, Dataset
from app.services import access
from app.services.datasets import categories, counts, datasets, palette, statistics
from app.services.exports import exports, task_records
from app.services.exports import folder as export_folder
from app.services.images import images
from app.services.imports import imports
from app.web.formats import query_string
from app.web.render import Page, PageDep

__all__ = ["STATUS_LABELS", "frame", "router"]

router = APIRouter()
PAGE_SIZE = 48

TABS = (
    ("images", "Images"),
    ("categories", "Categories"),
    ("predictions", "Predictions"),
    ("statistics", "Statistics"),
    ("members", "Members"),
    ("settings", "Settings"),
)
STATUS_LABELS = tuple(zip(STATUSES, ("New", "In progress", "Done", "Nothing here"), strict=True))
# What the dialogs call a task and a way to write shapes; a name of its own where it is missing.
_TASK_LABELS = {
    "instances": "Instances",
    "person_keypoints": "Keypoints",
    "stuff": "Stuff",
    "panoptic": "Panoptic",
    "captions": "Captions",
    "labels": "Labels",
    "image_info": "Image info only",
    "results": "Results of a model",
}
_SEGMENTATION_LABELS = {
    "stored": "As they are stored",
    "guess": "Polygons, crowds as RLE",
    "polygons": "All as polygons",
    "mask": "All as RLE",
}


@dataclass(frozen=True)
class Card:
    """A dataset in the list."""

    dataset: Dataset
    progress: counts.Progress
    cover: statistics.Cover | None
    role: str

    @property
    def finished(self) -> int:
        return self.progress.by_status["done"] + self.progress.by_status["empty"]


def _cards(page: Page, cursor: str | None) -> dict[str, Any]:
    after = paging.decode(cursor, str, int) if cursor else None
    found = datasets.list_datasets(
        page.session,
        user=page.user,
        limit=PAGE_SIZE + 1,
        after=(after[0], after[1]) if after else None,
    )
    shown = found[:PAGE_SIZE]
    ids = [row.id for row in shown]
    progress = counts.progress(page.session, dataset_ids=ids)
    covers = statistics.covers(page.session, dataset_ids=ids)
    cards = [Card(row, progress[row.id], covers.get(row.id), page.role(row.id)) for row in shown]
    more = len(found) > PAGE_SIZE
    following = paging.encode(shown[-1].name, shown[-1].id) if more else None
    return {
        "datasets": cards,
        "next_url": "/datasets" + query_string({"cursor": following}) if more else None,
    }


@router.get("/")
def home(page: PageDep) -> Response:
    """The datasets that one may see."""
    return page.render("home.html", partial=False, **_cards(page, None))


@router.get("/datasets")
def more(page: PageDep, cursor: str | None = Query(None, max_length=2000)) -> Response:
    """The next cards of the list, for its script; the list itself for who typed the address."""
    if cursor is None:
        return RedirectResponse("/", 303)
    return page.render("dataset/_datasets.html", partial=True, **_cards(page, cursor))


def frame(page: Page, dataset: Dataset, tab: str) -> dict[str, Any]:
    """What every tab of a dataset shows: its head, and the dialogs of upload, import, export."""
    session = page.session
    rows = categories.list_categories(session, dataset_id=dataset.id)
    return {
        "tab": tab,
        "tabs": TABS,
        "dataset": dataset,
        "role": page.role(dataset.id),
        "progress": counts.progress(session, dataset_ids=[dataset.id])[dataset.id],
        "categories": rows,
        "category_count": len(rows),
        "subsets": images.list_subsets(session, dataset_id=dataset.id),
        "statuses": STATUS_LABELS,
        "stem": exports.file_stem(dataset.name),
        "import_formats": [(form.name, form.title) for form in imports.import_formats()],
        "folder_formats": [(form.name, form.title) for form in export_folder.export_formats()],
        "import_tasks": _labelled(imports.import_kinds(), _TASK_LABELS),
        "export_tasks": _labelled(exports.export_tasks(), _TASK_LABELS),
        "tasks": _grouped_tasks(task_records.present_tasks(session, dataset_id=dataset.id)),
        "segmentations": _labelled(exports.SEGMENTATIONS, _SEGMENTATION_LABELS),
    }


def _grouped_tasks(present: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The tasks that can be exported: those that the dataset has, and those made from them."""
    known = exports.export_tasks()
    groups = (
        ("In this dataset", [task for task in known if task in present]),
        ("Made from what fits", [task for task in known if task not in present]),
    )
    labels = _TASK_LABELS | {"panoptic": "Panoptic, without its PNGs"}
    return [(title, _labelled(names, labels)) for title, names in groups if names]


def _labelled(names: Iterable[str], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, labels.get(name, name.replace("_", " ").capitalize())) for name in names]


def _category(row: Category, annotation_count: int) -> dict[str, Any]:
    """As ``GET /api/datasets/{id}/categories`` has it."""
    values = vars(row) | {"annotation_count": annotation_count}
    return CategoryOut.model_validate(values).model_dump()


@router.get("/datasets/{dataset_id}/categories")
def category_tab(dataset_id: deps.Id, page: PageDep) -> Response:
    """The categories, with their colours, keypoints and numbers."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    values = frame(page, dataset, "categories")
    numbers = categories.count_annotations(page.session, dataset_id=dataset.id)
    rows = [_category(row, numbers.get(row.id, 0)) for row in values["categories"]]
    values["categories"] = rows
    supercategories = sorted({row["supercategory"] for row in rows if row["supercategory"]})
    return page.render(
        "dataset/categories.html",
        supercategories=supercategories,
        palette=[palette.color_for(position) for position in range(24)],
        **values,
    )


@router.get("/datasets/{dataset_id}/statistics")
def statistics_tab(dataset_id: deps.Id, page: PageDep) -> Response:
    """Numbers by category, status and person."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    found = statistics.of_dataset(page.session, dataset_id=dataset.id)
    return page.render(
        "dataset/statistics.html",
        statistics=found,
        most=max((row.annotations for row in found.by_category), default=0),
        **frame(page, dataset, "statistics"),
    )


@router.get("/datasets/{dataset_id}/members")
def member_tab(dataset_id: deps.Id, page: PageDep) -> Response:
    """Who may work in the dataset."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    return page.render(
        "dataset/members.html",
        members=datasets.list_members(page.session, dataset=dataset),
        **frame(page, dataset, "members"),
    )


@router.get("/datasets/{dataset_id}/settings")
def settings_tab(dataset_id: deps.Id, page: PageDep) -> Response:
    """Name, description, and the end of a dataset."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    return page.render("dataset/settings.html", **frame(page, dataset, "settings"))
