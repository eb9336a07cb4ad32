"""Annotations of an image: read, made, changed, drawn on, deleted and brought back.

Answers are put together from stored text and requests are kept as text, so that numbers pass
through as they were written; the models below check and describe them.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import BaseModel, Field, StrictBool, WithJsonSchema

from app.api import deps, paging, preconditions, problems, sent, wire
from app.api.deps import SessionDep, UserDep
from app.api.preconditions import IfMatch, IfNoneMatch
from app.api.sent import BodyDep
from app.models import Annotation
from app.services import access
from app.services.annotations import annotations, drawing, keypoints
from app.services.annotations import view as annotation_view

__all__ = ["AnnotationOut", "page", "page_text", "router"]

router = APIRouter(
    tags=["annotations"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
    route_class=sent.LongBodyRoute,
)

_WITH_VERSION: dict[int | str, dict[str, Any]] = problems.responses(409, 412, 428)

# Bodies -----------------------------------------------------------------------------------------

_RING = {"type": "array", "items": {"type": "number"}, "minItems": 6}
_RINGS = {"type": "array", "items": _RING}
_RLE = {
    "type": "object",
    "properties": {
        "size": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "counts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
    },
    "required": ["size", "counts"],
    "additionalProperties": False,
}
# The mask engine checks geometry, with codes of its own; these only describe it.
Segmentation = Annotated[Any, WithJsonSchema({"anyOf": [_RINGS, _RLE, {"type": "null"}]})]
Holes = Annotated[Any, WithJsonSchema({"anyOf": [_RINGS, {"type": "null"}]})]
Number = Annotated[float, Field(strict=True)]
Box = Annotated[list[Number], Field(min_length=4, max_length=4)]
CategoryId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Flag = StrictBool | Annotated[int, Field(strict=True, ge=0, le=1)]


class AnnotationIn(wire.Model):
    """What changes of an annotation.

    What is not named stays. Null takes a member away, and has `bbox` and `area` computed anew.
    """

    category_id: CategoryId | None = None
    segmentation: Segmentation = None
    holes: Holes = None
    bbox: Box | None = None
    area: Annotated[Number, Field(ge=0)] | None = None
    iscrowd: Flag | None = None
    keypoints: Annotated[list[Number], Field(max_length=3000)] | None = None
    num_keypoints: Annotated[int, Field(strict=True, ge=0)] | None = None
    attributes: dict[str, Any] | None = None
    score: Number | None = None
    caption: wire.Text | None = None


class AnnotationChange(AnnotationIn):
    """What changes of an annotation, as in `AnnotationIn`, or single attributes of it.

    `attributes_patch` is merged into the attributes as RFC 7396 says, at the first level: null
    takes one away, any other value takes its place, and what is not named keeps the text of its
    numbers, also those that a client cannot hold. Where `attributes` are named, too, it is merged
    into those. `attributes_null` names attributes that become null themselves, which a patch has no
    word for.
    """

    attributes_patch: dict[str, Any] | None = None
    attributes_null: Annotated[list[wire.Text], Field(max_length=10_000)] | None = None


class NewAnnotation(AnnotationIn):
    """A new annotation.

    It has a `category_id` (unless it is a caption) and at least one of `segmentation`, `bbox`,
    `keypoints` and `caption`; with the `task` ``labels`` it has none of these: it says that
    something of the category is in the image. With the `task` ``panoptic`` it is a segment, whose
    `coco_id` counts for its image alone; where a dataset has a panoptic file and none of objects,
    whatever has a segmentation is one. `client_key` is any text of the client's own, such as a
    UUID: a second try with the same key on the same image answers with the annotation that the
    first one made. `copy_of` is the id of an annotation that you may see, deleted or not: the new
    one takes over the members of its record that are not shown here (`other_keys`), the text of
    numbers that are the same and, with the same geometry on an image of the same size, its box and
    area.
    """

    task: Literal["labels", "panoptic"] | None = None
    client_key: wire.Name | None = None
    copy_of: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)] | None = None


class KeypointIn(wire.Model):
    """One keypoint; `v` is 0 (not labelled), 1 (labelled, not visible) or 2 (visible)."""

    x: Number
    y: Number
    v: Annotated[int, Field(strict=True, ge=0, le=2)] = 2


_STROKE = {
    "type": "object",
    "properties": {
        "stroke": {"type": "array", "items": {"type": "number"}, "minItems": 2},
        "radius": {"type": "number", "exclusiveMinimum": 0},
        "square": {"type": "boolean", "default": False},
    },
    "required": ["stroke", "radius"],
    "additionalProperties": False,
}
_POLYGONS = {
    "type": "object",
    "properties": {"polygons": {**_RINGS, "minItems": 1}, "holes": _RINGS},
    "required": ["polygons"],
    "additionalProperties": False,
}
_BOX = {
    "type": "object",
    "properties": {
        "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    },
    "required": ["bbox"],
    "additionalProperties": False,
}
DrawnShape = Annotated[dict[str, Any], WithJsonSchema({"anyOf": [_POLYGONS, _RLE, _BOX, _STROKE]})]


class DrawIn(wire.Model):
    """An operation on an annotation's pixels.

    `add`, `subtract`, `intersect` and `replace` take a `shape`. `tolerance` is how far, in
    pixels, an outline may stray from the pixels: for `simplify` (1 unless given), and for
    outlines that are traced (exact unless given).
    """

    op: drawing.Op
    shape: DrawnShape | None = None
    tolerance: Annotated[Number, Field(ge=0, le=10_000)] | None = None


class RestoreIn(wire.Model):
    """The version whose content becomes the newest one."""

    version: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class Rle(BaseModel):
    """A mask, run-length encoded: column by column, background first."""

    size: Annotated[list[float], Field(min_length=2, max_length=2)]
    counts: str | list[float]


class AnnotationOut(BaseModel):
    """One COCO instance: all its parts, holes, its box and its keypoints under one id.

    `holes` are rings cut out of the union of the polygons. Numbers are as they were sent or
    imported. Captions and labels have no geometry; `bbox` and `area` are 0 then. `task` is that of
    the file that brought the annotation or, of one made here, ``instances``, ``captions`` or
    ``labels``. `other_keys` names the members of the COCO record that are not shown here and stay
    as they are, ``segmentation`` among them where it is shown as it was read and not as written.
    By its `client_key` a client that never heard the answer knows what it has made.
    """

    id: int
    coco_id: Any
    image_id: int
    category_id: int | None
    version: int
    task: str
    segmentation: list[list[float]] | Rle | None
    holes: list[list[float]]
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)]
    area: float
    iscrowd: Literal[0, 1]
    keypoints: list[float] | None
    num_keypoints: float | None
    attributes: dict[str, Any]
    score: float | None
    caption: str | None
    other_keys: list[str]
    client_key: str | None
    created_by: int | None
    updated_by: int | None
    created_at: str
    updated_at: str


class Author(BaseModel):
    id: int
    email: str
    name: str


class VersionOut(AnnotationOut):
    """The annotation as it was in one version; `updated_by` and `updated_at` tell who made it."""

    deleted: bool
    author: Author | None


# Answers ----------------------------------------------------------------------------------------


def _json(text: str, status_code: int = 200, **headers: str) -> Response:
    return Response(text, status_code, headers, "application/json")


def _one(annotation: Annotation, status_code: int = 200) -> Response:
    tag = preconditions.etag(annotation.version)
    return _json(annotation_view.as_text(annotation), status_code, ETag=tag)


def page_text(texts: list[str], next_cursor: str | None) -> str:
    """One page of a list of annotations, put together from their texts."""
    cursor = "null" if next_cursor is None else f'"{next_cursor}"'
    return f'{{"items":[{",".join(texts)}],"next_cursor":{cursor}}}'


def page(texts: list[str], next_cursor: str | None) -> Response:
    """The same as an answer."""
    return _json(page_text(texts, next_cursor))


# Routes -----------------------------------------------------------------------------------------


@router.get("/images/{image_id}/annotations", response_model=paging.Page[AnnotationOut])
def index(
    image_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    limit: deps.Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """The annotations of an image, in the order in which they were made."""
    image = access.view_image(session, user=user, image_id=image_id)
    after = paging.decode(cursor, int)[0] if cursor else 0
    rows = annotations.list_annotations(session, image_id=image.id, limit=limit + 1, after=after)
    following = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
    return page([annotation_view.as_text(row) for row in rows[:limit]], following)


@router.post(
    "/images/{image_id}/annotations",
    status_code=status.HTTP_201_CREATED,
    response_model=AnnotationOut,
    responses=problems.responses(409),
)
def create(
    image_id: deps.Id,
    body: NewAnnotation,
    written: BodyDep,
    user: UserDep,
    session: SessionDep,
) -> Response:
    """Make an annotation; what is not given of `bbox`, `area` and `num_keypoints` is computed."""
    image = access.annotate_image(session, user=user, image_id=image_id)
    fields = sent.named(body, written)
    for name in ("client_key", "copy_of", "task"):
        fields.pop(name, None)
    annotation = annotations.create_annotation(
        session,
        image=image,
        user=user,
        fields=fields,
        task=body.task,
        client_key=body.client_key,
        copy_of=access.copied_annotation(session, user=user, annotation_id=body.copy_of),
    )
    return _one(annotation, status.HTTP_201_CREATED)


@router.get(
    "/annotations/{annotation_id}",
    response_model=AnnotationOut,
    responses={304: {"description": "The version named in If-None-Match is the present one"}},
)
def show(
    annotation_id: deps.Id, user: UserDep, session: SessionDep, if_none_match: IfNoneMatch = None
) -> Response:
    """One annotation; its ETag is its version."""
    annotation = annotations.require_present(
        access.view_annotation(session, user=user, annotation_id=annotation_id)
    )
    if preconditions.is_known(if_none_match, annotation.version):
        return preconditions.not_modified(annotation.version)
    return _one(annotation)


@router.patch("/annotations/{annotation_id}", response_model=AnnotationOut, responses=_WITH_VERSION)
def change(
    annotation_id: deps.Id,
    body: AnnotationChange,
    written: BodyDep,
    user: UserDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Change what is named. Without a real change the version stays as it is."""
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    annotation = annotations.change_annotation(
        session,
        annotation=annotation,
        user=user,
        fields=sent.named(body, written),
        expected=preconditions.required(if_match),
    )
    return _one(annotation)


@router.delete(
    "/annotations/{annotation_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=_WITH_VERSION,
)
def delete(
    annotation_id: deps.Id, user: UserDep, session: SessionDep, if_match: IfMatch = None
) -> None:
    """Delete an annotation; its history stays, and it can be restored."""
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    annotations.delete_annotation(
        session,
        annotation=annotation,
        user=user,
        expected=preconditions.required(if_match),
    )


@router.post(
    "/annotations/{annotation_id}/draw", response_model=AnnotationOut, responses=_WITH_VERSION
)
def draw(
    annotation_id: deps.Id,
    body: DrawIn,
    written: BodyDep,
    user: UserDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Draw on an annotation: the mask engine computes its next geometry, exactly.

    A mask stays a mask and polygons stay polygons, except for `to_mask`, `to_polygons`, and
    `replace`, which takes the shape as it is sent.
    """
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    shape = None if body.shape is None else sent.members(sent.named(body, written)["shape"].text)
    annotation = drawing.draw_on(
        session,
        annotation=annotation,
        user=user,
        op=body.op,
        shape=shape,
        tolerance=body.tolerance,
        expected=preconditions.required(if_match),
    )
    return _one(annotation)


KeypointName = Annotated[str, Field(min_length=1, max_length=200)]


@router.put(
    "/annotations/{annotation_id}/keypoints/{name}",
    response_model=AnnotationOut,
    responses=_WITH_VERSION,
)
def put_keypoint(
    annotation_id: deps.Id,
    name: KeypointName,
    body: KeypointIn,
    written: BodyDep,
    user: UserDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Place one keypoint, named as in the annotation's category."""
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    texts = {key: value.text for key, value in sent.named(body, written).items()}
    annotation = keypoints.set_keypoint(
        session,
        annotation=annotation,
        user=user,
        name=name,
        keypoint=keypoints.Keypoint(texts["x"], texts["y"], texts.get("v", str(body.v))),
        expected=preconditions.required(if_match),
    )
    return _one(annotation)


@router.delete(
    "/annotations/{annotation_id}/keypoints/{name}",
    response_model=AnnotationOut,
    responses=_WITH_VERSION,
)
def delete_keypoint(
    annotation_id: deps.Id,
    name: KeypointName,
    user: UserDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Make one keypoint absent: 0, 0, 0."""
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    annotation = keypoints.set_keypoint(
        session,
        annotation=annotation,
        user=user,
        name=name,
        keypoint=keypoints.ABSENT,
        expected=preconditions.required(if_match),
    )
    return _one(annotation)


@router.get("/annotations/{annotation_id}/history", response_model=paging.Page[VersionOut])
def history(
    annotation_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    limit: deps.Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Every version of an annotation, the newest first; of a deleted one, too."""
    annotation = access.view_annotation(session, user=user, annotation_id=annotation_id)
    before = paging.decode(cursor, int)[0] if cursor else None
    entries = annotations.list_versions(
        session, annotation=annotation, limit=limit + 1, before=before
    )
    shown = [
        annotation_view.as_text(
            annotation,
            entry.content,
            deleted=entry.deleted,
            author=entry.author
            and {"id": entry.author.id, "email": entry.author.email, "name": entry.author.name},
        )
        for entry in entries[:limit]
    ]
    last = (entries[limit - 1].content or annotation).version if len(entries) > limit else None
    return page(shown, None if last is None else paging.encode(last))


@router.post(
    "/annotations/{annotation_id}/restore",
    response_model=AnnotationOut,
    responses=problems.responses(409, 412),
)
def restore(
    annotation_id: deps.Id,
    body: RestoreIn,
    user: UserDep,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Make an earlier version the newest one; this also brings a deleted annotation back."""
    annotation = access.edit_annotation(session, user=user, annotation_id=annotation_id)
    annotation = annotations.restore_annotation(
        session,
        annotation=annotation,
        user=user,
        version=body.version,
        expected=preconditions.optional(if_match),
    )
    return _one(annotation)
