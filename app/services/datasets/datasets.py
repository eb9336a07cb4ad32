"""Datasets and their members."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.models import (
    ROLES,
    Annotation,
    Dataset,
    DatasetMember,
    Image,
    User,
)
from app.services import access, turns, users
from app.services.live import live

__all__ = [
    "change_dataset",
    "create_dataset",
    "delete_dataset",
    "find_dataset",
    "list_datasets",
    "list_members",
    "lock_dataset",
    "remove_member",
    "set_member",
    "take_coco_ids",
]


def _check_name(session: Session, name: str, but: int | None = None) -> None:
    taken = select(exists().where(Dataset.name == name, Dataset.id != (but or 0)))
    if session.scalar(taken):
        raise Conflict(f"There is already a dataset called {name}.", code="name_taken")


def create_dataset(session: Session, *, user: User, name: str, description: str = "") -> Dataset:
    """A new dataset, owned by the user."""
    _check_name(session, name)
    dataset = Dataset(name=name, description=description, created_by=user.id)
    session.add(dataset)
    session.flush()
    session.add(DatasetMember(dataset_id=dataset.id, user_id=user.id, role="owner"))
    session.flush()
    return dataset


def list_datasets(
    session: Session, *, user: User, limit: int, after: tuple[str, int] | None = None
) -> Sequence[Dataset]:
    """The datasets that the user may see, by name; `after` is the last (name, id) seen."""
    query = select(Dataset).where(access.visible_datasets(user)).order_by(Dataset.name, Dataset.id)
    if after:
        query = query.where(
            (Dataset.name > after[0]) | ((Dataset.name == after[0]) & (Dataset.id > after[1]))
        )
    return session.scalars(query.limit(limit)).all()


def find_dataset(session: Session, *, id_or_name: str) -> Dataset:
    """By id or by name, for commands; a name wins when both fit."""
    found = session.scalar(select(Dataset).where(Dataset.name == id_or_name))
    if found is None and id_or_name.isascii() and id_or_name.isdigit() and len(id_or_name) < 19:
        found = session.get(Dataset, int(id_or_name))
    if found is None:
        raise NotFound(f"There is no dataset {id_or_name}.")
    return found


def change_dataset(session: Session, *, dataset: Dataset, changes: dict[str, Any]) -> Dataset:
    """Set `name` and `description` where given."""
    lock_dataset(session, dataset_id=dataset.id)
    if "name" in changes:
        _check_name(session, changes["name"], but=dataset.id)
    for key, value in changes.items():
        setattr(dataset, key, value)
    dataset.updated_at = func.clock_timestamp()
    session.flush()
    session.refresh(dataset)
    return dataset


def delete_dataset(session: Session, *, dataset: Dataset) -> None:
    """Delete a dataset with everything in it; Conflict while an import or upload works on it.

    All images are locked, so that whoever saves an annotation has done so by now, or finds that
    the image is gone. Annotations go before the rest: deleted by the cascade, each category would
    visit all of its annotations before they go.
    """
    if not turns.try_turn(session, dataset_id=dataset.id):
        raise Conflict(
            "An import or upload works on this dataset: cancel it, or wait for its end.",
            code="busy",
        )
    session.execute(_every_image(dataset.id))
    session.execute(delete(Annotation).where(Annotation.dataset_id == dataset.id))
    session.execute(delete(Image).where(Image.dataset_id == dataset.id))
    lock_dataset(session, dataset_id=dataset.id)
    session.delete(dataset)
    session.flush()
    live.dataset_changed(session, dataset.id)


def _every_image(dataset_id: int) -> Executable:
    """A query that locks every image of a dataset, and answers with one number for all of them."""
    locked = select(Image.id).where(Image.dataset_id == dataset_id).order_by(Image.id)
    return select(func.count()).select_from(locked.with_for_update().subquery())


def list_members(session: Session, *, dataset: Dataset) -> Sequence[tuple[User, str]]:
    rows = session.execute(
        select(User, DatasetMember.role)
        .join(DatasetMember, DatasetMember.user_id == User.id)
        .where(DatasetMember.dataset_id == dataset.id)
        .order_by(func.lower(User.email).collate("C"), User.id)
    )
    return [(user, role) for user, role in rows]


def _lock_member(session: Session, dataset: Dataset, user_id: int) -> DatasetMember | None:
    # One change of members at a time: two owners must not remove each other.
    lock_dataset(session, dataset_id=dataset.id)
    return session.get(DatasetMember, (dataset.id, user_id), populate_existing=True)


def _keep_an_owner(session: Session, dataset: Dataset, user_id: int) -> None:
    others = select(
        exists().where(
            DatasetMember.dataset_id == dataset.id,
            DatasetMember.role == "owner",
            DatasetMember.user_id != user_id,
        )
    )
    if not session.scalar(others):
        raise Conflict("A dataset keeps at least one owner.", code="last_owner")


def set_member(session: Session, *, dataset: Dataset, email: str, role: str) -> tuple[User, str]:
    """Give a user a role in the dataset, or another one than before."""
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}.", code="role_unknown")
    user = users.user_by_email(session, email=email)
    member = _lock_member(session, dataset, user.id)
    if member is None:
        session.add(DatasetMember(dataset_id=dataset.id, user_id=user.id, role=role))
    else:
        if member.role == "owner" and role != "owner":
            _keep_an_owner(session, dataset, user.id)
        member.role = role
    session.flush()
    live.dataset_changed(session, dataset.id)
    return user, role


def remove_member(session: Session, *, dataset: Dataset, user_id: int) -> None:
    member = _lock_member(session, dataset, user_id)
    if member is None:
        raise NotFound("That user is not a member of this dataset.")
    if member.role == "owner":
        _keep_an_owner(session, dataset, user_id)
    session.delete(member)
    session.flush()
    live.dataset_changed(session, dataset.id)


def lock_dataset(session: Session, *, dataset_id: int) -> None:
    """Keep others from changing the dataset's own row until the commit."""
    # With the key shared: what others add to the dataset meanwhile does not have to wait.
    row = select(Dataset.id).where(Dataset.id == dataset_id).with_for_update(key_share=True)
    if session.scalar(row) is None:
        raise NotFound("There is no such dataset.")


def take_coco_ids(session: Session, *, dataset_id: int, kind: str, count: int = 1) -> int:
    """The first of `count` new COCO ids in a row; `kind` is "image" or "annotation".

    The dataset's row stays locked until the commit: call this late in a transaction.
    """
    column = Dataset.next_image_coco_id if kind == "image" else Dataset.next_annotation_coco_id
    following = session.scalar(
        update(Dataset)
        .where(Dataset.id == dataset_id)
        .values({column: column + count})
        .returning(column)
        .execution_options(synchronize_session=False)
    )
    if following is None:
        raise NotFound("There is no such dataset.")
    return following - count
