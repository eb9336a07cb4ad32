"""Pages of images: a dataset's grid with its filters, and the editor's shell."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from app.api import categories as categories_api
from app.api import deps, paging
from app.api import images as images_api
from app.api import preferences as preferences_api
from app.models import STATUSES, Dataset, Image
from app.services import access
from app.services.datasets import categories
from app.services.images import images
from app.services.images.images import ImageFilter
from app.services.live import state as live_state
from app.web.datasets import frame
from app.web.formats import query_string
from app.web.render import Page, PageDep

__all__ = ["router"]

router = APIRouter()
PAGE_SIZE = 60

# The first one is the order when nobody chose any.
SORTS = (
    ("file_name", "File name"),
    ("-file_name", "File name, Z first"),
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("-annotation_count", "Most annotations first"),
    ("annotation_count", "Fewest annotations first"),
    ("id", "As they came"),
)
_MAX_ID = 2**63


@dataclass(frozen=True)
class View:
    """Which images of a dataset a person looks at, and in which order.

    It stands in the page's address. A value that makes no sense is left out there, for an address
    may be old or mistyped: the grid then shows more than was asked for, and says so by its fields.
    """

    filters: ImageFilter
    sort: str

    @classmethod
    def of(cls, query: QueryParams) -> "View":
        text = query.get("q", "").replace("\x00", "").strip()[:200]
        status, sort = query.get("status"), query.get("sort")
        filters = ImageFilter(
            q=text or None,
            categories=tuple(sorted(set(_ids(query.getlist("category"))))),
            annotated={"true": True, "false": False}.get(query.get("annotated", "")),
            subset=query.get("subset", "").replace("\x00", "") or None,
            status=status if status in STATUSES else None,
        )
        return cls(filters, sort if sort in dict(SORTS) else SORTS[0][0])

    @property
    def query(self) -> str:
        """The same as a query, in full: the editor's API has another order by default."""
        annotated = {True: "true", False: "false"}.get(self.filters.annotated)  # type: ignore[arg-type]
        return query_string(
            {
                "q": self.filters.q,
                "category": self.filters.categories,
                "status": self.filters.status,
                "subset": self.filters.subset,
                "annotated": annotated,
                "sort": self.sort,
            }
        )


def _ids(texts: list[str]) -> list[int]:
    numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20]
    return [number for number in numbers if 0 < number < _MAX_ID]


def _cursor(image: Image, sort: str) -> str:
    value, image_id = images.key_of(image, sort)
    return paging.encode(value.isoformat() if isinstance(value, datetime) else value, image_id)


def _place(cursor: str, sort: str) -> images.Key:
    kind = str if sort.removeprefix("-") in ("file_name", "created_at") else int
    value, image_id = paging.decode(cursor, kind, int)
    return images.key_from(sort, value, image_id)


def _cards(page: Page, dataset: Dataset, view: View, cursor: str | None) -> dict[str, Any]:
    """One page of the grid."""
    found = images.list_images(
        page.session,
        dataset_id=dataset.id,
        filters=view.filters,
        sort=view.sort,
        limit=PAGE_SIZE + 1,
        after=_place(cursor, view.sort) if cursor else None,
    )
    shown = found[:PAGE_SIZE]
    next_url = None
    if len(found) > PAGE_SIZE:
        following = urlencode({"cursor": _cursor(shown[-1], view.sort)})
        next_url = f"/datasets/{dataset.id}/images{view.query}&{following}"
    total = None
    if cursor is None and view.filters != ImageFilter():
        total = images.count_images(page.session, dataset_id=dataset.id, filters=view.filters)
    return {
        "dataset": dataset,
        "role": page.role(dataset.id),
        "images": shown,
        "query": view.query,
        "next_url": next_url,
        "first_page": cursor is None,
        "matching": total,
    }


@router.get("/datasets/{dataset_id}")
def grid(dataset_id: deps.Id, request: Request, page: PageDep) -> Response:
    """The images of a dataset, the first of its tabs."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    view = View.of(request.query_params)
    values = frame(page, dataset, "images") | _cards(page, dataset, view, None)
    return page.render(
        "dataset/images.html",
        filters=view.filters,
        filtered=view.filters != ImageFilter(),
        sort=view.sort,
        sorts=SORTS,
        **values,
    )


@router.get("/datasets/{dataset_id}/images")
def cards(
    dataset_id: deps.Id,
    request: Request,
    page: PageDep,
    cursor: str | None = Query(default=None, max_length=2000),
) -> Response:
    """More cards of the grid alone, for its script."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    view = View.of(request.query_params)
    return page.render("dataset/_cards.html", **_cards(page, dataset, view, cursor))


@router.get("/datasets/{dataset_id}/start")
def start(dataset_id: deps.Id, request: Request, page: PageDep) -> Response:
    """Go to the image to annotate next: a new one of those in view, else one in progress."""
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=dataset_id)
    view = View.of(request.query_params)
    image = _first_open(page, dataset, view)
    target = f"/images/{image.id}{view.query}" if image else f"/datasets/{dataset.id}{view.query}"
    return RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})


def _first_open(page: Page, dataset: Dataset, view: View) -> Image | None:
    """The first new image, else the first in progress, else the first of all."""
    wanted = (view.filters.status,) if view.filters.status else ("new", "in_progress", None)
    for status in wanted:
        filters = replace(view.filters, status=status)
        found = images.list_images(
            page.session, dataset_id=dataset.id, filters=filters, sort=view.sort, limit=1
        )
        if found:
            return found[0]
    return None


@router.get("/images/{image_id}")
def editor(image_id: deps.Id, request: Request, page: PageDep) -> Response:
    """The editor's shell: what it needs to know before its first request stands in the page."""
    image = access.view_image(page.session, user=page.user, image_id=image_id)
    dataset = access.view_dataset(page.session, user=page.user, dataset_id=image.dataset_id)
    data = {
        "image": images_api.out(image).model_dump(mode="json"),
        "dataset": {"id": dataset.id, "name": dataset.name},
        "user": {
            "id": page.user.id,
            "email": page.user.email,
            "name": page.user.name,
            "since": page.user.created_at.isoformat(),
        },
        "role": page.role(dataset.id),
        **_categories(page, dataset),
        "preferences": preferences_api.out(page.session, page.user).model_dump(mode="json"),
        "query": View.of(request.query_params).query.removeprefix("?"),
        "tiled_from_pixels": page.context.settings.tiled_from_pixels,
    }
    return page.render("editor.html", data=data, first_requests=_first_requests(data))


def _categories(page: Page, dataset: Dataset) -> dict[str, Any]:
    """As the API shows them, without their numbers of annotations: counting may take a while.

    Their digest is read first. What somebody changes in between is then not in it, so that the
    editor asks for them once more; read last, it would stand for categories that the page lacks.
    """
    digest = live_state.categories_digest(page.session, dataset_id=dataset.id)
    rows = categories.list_categories(page.session, dataset_id=dataset.id)
    left_out = {"annotation_count"}
    found = [categories_api.out(row, 0).model_dump(mode="json", exclude=left_out) for row in rows]
    return {"categories": found, "categories_digest": digest}


def _first_requests(data: dict[str, Any]) -> list[str]:
    """What the editor's script asks for first, letter by letter: the browser fetches it ahead.

    Few, since a browser has six connections to a server, and scripts and styles need some of them.
    """
    image, query = data["image"], data["query"]
    address = f"/api/images/{image['id']}"
    found = [f"{address}/visit" + (f"?{query}" if query else "")]
    if image["has_file"]:
        tiled = image["width"] * image["height"] > data["tiled_from_pixels"]
        found.append(f"{address}/tiles" if tiled else f"{address}/picture")
    return found
