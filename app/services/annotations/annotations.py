"""Annotations: made, changed, deleted, brought back, each change a version with its history.

Every change takes the same locks in the same order: the image's row first (so the annotations of
one image change one after the other), then the annotation, then the dataset's counters. What
takes time, drawing polygons, is done before the first lock. A change names the versions that it
may be based on; whoever comes second with the same version gets `StaleVersion`. It also names its
author: an annotation without ``updated_by`` is one that only a file has written so far, and the
next file may change it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound, StaleVersion
from app.formats.coco import rawjson
from app.models import Annotation, AnnotationVersion, Category, Image, User
from app.services.annotations import edits, segments, view
from app.services.annotations.edits import Edit, Original, State
from app.services.annotations.shapes import Json
from app.services.datasets import counts, datasets
from app.services.live import live

__all__ = [
    "COLUMNS",
    "Expected",
    "HistoryEntry",
    "LockedImage",
    "annotation_of",
    "category_of",
    "change_annotation",
    "check_version",
    "count_changes",
    "create_annotation",
    "delete_annotation",
    "id_text",
    "image_size",
    "list_annotations",
    "list_versions",
    "lock_images",
    "require_present",
    "restore_annotation",
]

Expected = frozenset[int] | None
"""The versions that a change may be based on; None for whichever there is."""

# What a list shows: columns instead of objects, since there are thousands of rows.
COLUMNS = (
    Annotation.id,
    Annotation.coco_id,
    Annotation.image_id,
    Annotation.category_id,
    Annotation.version,
    Annotation.task,
    Annotation.record,
    Annotation.shape,
    Annotation.area,
    Annotation.bbox,
    Annotation.iscrowd,
    Annotation.client_key,
    Annotation.created_by,
    Annotation.updated_by,
    Annotation.created_at,
    Annotation.updated_at,
)


def list_annotations(
    session: Session, *, image_id: int, limit: int, after: int = 0
) -> Sequence[Row[Any]]:
    """The annotations of an image in the order of their ids, those behind `after`."""
    return session.execute(
        select(*COLUMNS)
        .where(
            Annotation.image_id == image_id,
            Annotation.deleted_at.is_(None),
            Annotation.id > after,
        )
        .order_by(Annotation.id)
        .limit(limit)
    ).all()


# Before a change -------------------------------------------------------------------------------


def require_present(annotation: Annotation) -> Annotation:
    """The annotation, unless it was deleted."""
    if annotation.deleted_at is not None:
        raise NotFound(
            "This annotation was deleted; it can be restored.", code="annotation_deleted"
        )
    return annotation


def check_version(annotation: Annotation, expected: Expected) -> None:
    """Refuse a change that is based on another version than the present one."""
    if expected is not None and annotation.version not in expected:
        raise _stale(annotation)


def _stale(annotation: Annotation) -> StaleVersion:
    return StaleVersion(
        f"The annotation is at version {annotation.version} by now.",
        current=msgspec.Raw(view.as_text(annotation).encode()),
    )


def image_size(session: Session, *, image_id: int) -> tuple[int, int]:
    """Height and width of an image as shown."""
    found = session.execute(
        select(Image.height, Image.width).where(Image.id == image_id)
    ).one_or_none()
    if found is None:
        raise _image_gone()
    height, width = found
    return height, width


def _image_gone() -> NotFound:
    return NotFound("There is no such image.")


def category_of(session: Session, dataset_id: int, category_id: int | None) -> Category | None:
    """A category of this dataset; one of another dataset is as unknown as none at all."""
    if category_id is None:
        return None
    category = session.get(Category, category_id)
    if category is None or category.dataset_id != dataset_id:
        raise Invalid(
            "The dataset has no such category.",
            code="category_unknown",
            loc=("body", "category_id"),
        )
    return category


def id_text(image: Image) -> str:
    """The image's id in COCO files, as it is written there."""
    own = rawjson.members(image.record).get("id") if image.record else None
    return own or rawjson.dumps(image.coco_id)


class LockedImage(NamedTuple):
    """What is counted of an image, its row being locked until the commit."""

    image_id: int
    dataset_id: int
    status: str
    annotation_count: int


def lock_images(session: Session, image_ids: Iterable[int]) -> dict[int, LockedImage]:
    """Lock images in the order in which everybody does; those that are gone are left out."""
    rows = session.execute(
        select(Image.id, Image.dataset_id, Image.status, Image.annotation_count)
        .where(Image.id.in_(sorted(set(image_ids))))
        .order_by(Image.id)
        .with_for_update(key_share=True)
    )
    return {row.id: LockedImage(*row) for row in rows}


def _lock_image(session: Session, image_id: int) -> LockedImage:
    locked = lock_images(session, [image_id]).get(image_id)
    if locked is None:
        raise _image_gone()
    return locked


def count_changes(session: Session, changes: Sequence[tuple[LockedImage, int]]) -> dict[int, int]:
    """Note on images and in the counters how many annotations came; the last step of a change.

    Work has begun on a new image with its first change, and an image marked as empty is so no
    longer when it gets an annotation. Returns each image's new revision.
    """
    moves: dict[tuple[int, str], list[int]] = {}
    revisions: dict[int, int] = {}
    for image, added in changes:
        begins = image.status == "new" or (image.status == "empty" and added > 0)
        status, count = "in_progress" if begins else image.status, image.annotation_count + added
        revisions[image.image_id] = session.execute(
            update(Image)
            .where(Image.id == image.image_id)
            .values(status=status, annotation_count=count, revision=Image.revision + 1)
            .returning(Image.revision)
            .execution_options(synchronize_session=False)
        ).scalar_one()
        steps = [(status, 0, added)]
        if begins:
            steps = [(image.status, -1, -image.annotation_count), (status, 1, count)]
        for moved, images, annotations in steps:
            total = moves.setdefault((image.dataset_id, moved), [0, 0])
            total[0] += images
            total[1] += annotations
    # In one order for everybody, so that two transactions never wait for each other.
    for (dataset_id, status), (images, annotations) in sorted(moves.items()):
        counts.add(
            session, dataset_id=dataset_id, status=status, images=images, annotations=annotations
        )
    return revisions


def _count(session: Session, image: LockedImage, annotation: Annotation, added: int = 0) -> None:
    """The last step of a change of one annotation, told to whoever has the image open."""
    revision = count_changes(session, [(image, added)])[image.image_id]
    change: live.AnnotationChange = "changed"
    if added:
        change = "created" if added > 0 else "deleted"
    live.annotation_changed(session, annotation, change, revision=revision)
    if image.status in ("new", "empty"):
        # Its status may be another one by now, which is told after what made it so.
        live.images_changed(session, [image.image_id], dataset_id=image.dataset_id)


# Changes ---------------------------------------------------------------------------------------


def create_annotation(
    session: Session,
    *,
    image: Image,
    user: User,
    fields: Mapping[str, Json],
    task: str | None = None,
    client_key: str | None = None,
    copy_of: Annotation | None = None,
) -> Annotation:
    """A new annotation with the next COCO id of its dataset, or of its image for a segment.

    Its `task` is told by what it has, or is ``labels`` (of a whole image) or ``panoptic``. With
    `copy_of` it takes over what clients do not see of that annotation, deleted or not.

    With a `client_key` that an annotation of the image already has, that one comes back: the
    client tries again because it never heard the answer to its first try.
    """
    category_id = fields["category_id"].value if "category_id" in fields else None
    category = category_of(session, image.dataset_id, category_id)
    edit = Edit(fields, (image.height, image.width), category)
    original = None
    if copy_of is not None:
        original = _original(session, copy_of)
        if copy_of.task == "panoptic" and copy_of.dataset_id == image.dataset_id:
            task = task or "panoptic"
    state = edits.created(
        edit, image_coco_id=id_text(image), is_label=task == "labels", original=original
    )
    locked = _lock_image(session, image.id)
    if client_key is not None:
        earlier = _made_with_key(session, image.id, client_key)
        if earlier is not None:
            return earlier
    task = segments.new_task(session, dataset_id=image.dataset_id, record=state.record, asked=task)
    if task == "panoptic":
        coco_id = segments.next_id(session, image_id=image.id)
    else:
        coco_id = datasets.take_coco_ids(session, dataset_id=image.dataset_id, kind="annotation")
    annotation = annotation_of(
        state, image=image, user=user, task=task, coco_id=coco_id, client_key=client_key
    )
    session.add(annotation)
    session.flush()
    _count(session, locked, annotation, added=1)
    return annotation


def _original(session: Session, annotation: Annotation) -> Original:
    state = edits.state_of(annotation, annotation.category_id)
    return Original(state, image_size(session, image_id=annotation.image_id))


def annotation_of(
    state: State,
    *,
    image: Image,
    user: User,
    task: str,
    coco_id: int,
    client_key: str | None = None,
) -> Annotation:
    """A new row with this content, which the caller adds and counts."""
    return Annotation(
        dataset_id=image.dataset_id,
        image_id=image.id,
        category_id=state.category_id,
        coco_id=coco_id,
        task=task,
        version=1,
        record=rawjson.replace(state.record, {"id": coco_id}),
        shape=state.shape,
        area=state.area,
        bbox=state.bbox,
        iscrowd=state.iscrowd,
        client_key=client_key,
        created_by=user.id,
        updated_by=user.id,
    )


def _made_with_key(session: Session, image_id: int, client_key: str) -> Annotation | None:
    # The image is locked: a first try that is still under way has ended by now.
    earlier = session.scalar(
        select(Annotation).where(
            Annotation.image_id == image_id, Annotation.client_key == client_key
        )
    )
    if earlier is not None and earlier.deleted_at is not None:
        raise Conflict(
            "The annotation that was made with this key was deleted since.",
            code="annotation_deleted",
        )
    return earlier


def change_annotation(
    session: Session,
    *,
    annotation: Annotation,
    user: User,
    fields: Mapping[str, Json],
    expected: Expected,
) -> Annotation:
    """Set the members that are named; without a real change there is no new version."""
    check_version(require_present(annotation), expected)
    old_category = _own_category(session, annotation)
    if "category_id" in fields:
        category = category_of(session, annotation.dataset_id, fields["category_id"].value)
    else:
        category = old_category
    size = image_size(session, image_id=annotation.image_id)
    before = edits.state_of(annotation, annotation.category_id)
    after = edits.edited(before, Edit(fields, size, category, old_category))
    if after is before:
        return annotation
    return _supersede(session, annotation, user, _values(after, before.record))


def _own_category(session: Session, annotation: Annotation) -> Category | None:
    if annotation.category_id is None:
        return None
    return session.get(Category, annotation.category_id)


def _values(state: State, before: str) -> dict[str, Any]:
    """The columns of the next state, given the record before it."""
    task = edits.task_of(state.record)
    # What becomes an object, a caption or a label is of another task from now on.
    moved = {"task": task} if task != edits.task_of(before) else {}
    return {
        **moved,
        "record": state.record,
        "variants": state.variants,
        "shape": state.shape,
        "category_id": state.category_id,
        "area": state.area,
        "bbox": state.bbox,
        "iscrowd": state.iscrowd,
    }


def delete_annotation(
    session: Session, *, annotation: Annotation, user: User, expected: Expected
) -> None:
    """Delete an annotation. Its row stays, as its newest version, and can be restored."""
    check_version(require_present(annotation), expected)
    _supersede(session, annotation, user, {"deleted_at": func.clock_timestamp()}, added=-1)


def restore_annotation(
    session: Session,
    *,
    annotation: Annotation,
    user: User,
    version: int,
    expected: Expected = None,
) -> Annotation:
    """Make the content of an earlier version the newest one; a deleted annotation comes back."""
    check_version(annotation, expected)
    if version == annotation.version:
        if annotation.deleted_at is None:
            return annotation
        content: Annotation | AnnotationVersion = annotation
    else:
        found = session.get(AnnotationVersion, (annotation.id, version))
        if found is None:
            raise Invalid(
                "The annotation has no such version.",
                code="version_unknown",
                loc=("body", "version"),
            )
        content = found
    _check_category_is_there(session, content)
    state = edits.state_of(content, content.category_id)
    added = 1 if annotation.deleted_at is not None else 0
    return _supersede(
        session,
        annotation,
        user,
        {**_values(state, annotation.record), "deleted_at": None},
        added=added,
    )


def _check_category_is_there(session: Session, content: Annotation | AnnotationVersion) -> None:
    had_one = rawjson.members(content.record).get("category_id", "null") != "null"
    gone = content.category_id is None or session.get(Category, content.category_id) is None
    if had_one and gone:
        raise Conflict("The category that this version had was deleted.", code="category_deleted")


_ARCHIVED = ("version", "record", "variants", "shape", "category_id", "area", "bbox", "iscrowd")


def _supersede(
    session: Session,
    annotation: Annotation,
    user: User,
    values: Mapping[str, Any],
    added: int = 0,
) -> Annotation:
    """Copy the present state to the history and write the next one, in one statement.

    Both parts look for the version that the change was made from: the second of two changes
    from the same version finds nothing.
    """
    version = annotation.version
    locked = _lock_image(session, annotation.image_id)
    present = (Annotation.id == annotation.id) & (Annotation.version == version)
    archive = insert(AnnotationVersion).from_select(
        ["annotation_id", *_ARCHIVED, "deleted", "author_id", "created_at"],
        select(
            Annotation.id,
            *(getattr(Annotation, name) for name in _ARCHIVED),
            Annotation.deleted_at.is_not(None),
            Annotation.updated_by,
            Annotation.updated_at,
        ).where(present),
    )
    changed = session.scalar(
        update(Annotation)
        .where(present)
        .values(
            **values,
            version=version + 1,
            updated_by=user.id,
            updated_at=func.clock_timestamp(),
        )
        .returning(Annotation)
        .add_cte(archive.cte("archive")),
        execution_options={"synchronize_session": False, "populate_existing": True},
    )
    if changed is None:
        present_one = session.get(Annotation, annotation.id, populate_existing=True)
        if present_one is None:
            raise NotFound("There is no such annotation.")
        raise _stale(require_present(present_one))
    _count(session, locked, changed, added=added)
    return changed


# History ---------------------------------------------------------------------------------------


class HistoryEntry(NamedTuple):
    """A version: `content` is None for the present one, whose content is the annotation's."""

    content: AnnotationVersion | None
    deleted: bool
    author: User | None


def list_versions(
    session: Session, *, annotation: Annotation, limit: int, before: int | None = None
) -> Sequence[HistoryEntry]:
    """Every version, the newest first; those older than `before`."""
    entries: list[HistoryEntry] = []
    if before is None or annotation.version < before:
        author = session.get(User, annotation.updated_by) if annotation.updated_by else None
        entries.append(HistoryEntry(None, annotation.deleted_at is not None, author))
    rows = session.execute(
        select(AnnotationVersion, User)
        .outerjoin(User, User.id == AnnotationVersion.author_id)
        .where(
            AnnotationVersion.annotation_id == annotation.id,
            AnnotationVersion.version < (before or annotation.version),
        )
        .order_by(AnnotationVersion.version.desc())
        .limit(limit - len(entries))
    )
    entries += [HistoryEntry(row, row.deleted, user) for row, user in rows]
    return entries
