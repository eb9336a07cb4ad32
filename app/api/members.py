"""Who may work in a dataset."""

from typing import Literal

from fastapi import APIRouter, status
from pydantic import BaseModel

from app.api import deps, paging, problems, wire
from app.api.deps import SessionDep, UserDep
from app.models import User
from app.services import access
from app.services.datasets import datasets

__all__ = ["router"]

router = APIRouter(
    prefix="/datasets/{dataset_id}/members",
    tags=["members"],
    responses=problems.responses(400, 401, 403, 404, 413, 415, 422, 503),
)

Role = Literal["owner", "annotator", "viewer"]


class MemberIn(wire.Model):
    """A user's address and the role to give them; it replaces the one they had."""

    email: wire.Email
    role: Role


class MemberOut(BaseModel):
    """A member of a dataset."""

    user_id: int
    email: str
    name: str
    role: Role


def _out(user: User, role: str) -> MemberOut:
    return MemberOut.model_validate(
        {"user_id": user.id, "email": user.email, "name": user.name, "role": role}
    )


@router.get("")
def index(
    dataset_id: deps.Id,
    user: UserDep,
    session: SessionDep,
    limit: deps.ShortLimit = None,
    cursor: str | None = None,
) -> paging.Page[MemberOut]:
    """All members."""
    dataset = access.view_dataset(session, user=user, dataset_id=dataset_id)
    rows = datasets.list_members(session, dataset=dataset)
    found = [_out(member, role) for member, role in rows]
    return paging.short(
        found, key=lambda row: (row.email.lower(), row.user_id), limit=limit, cursor=cursor
    )


@router.put("", responses=problems.responses(409))
def put(dataset_id: deps.Id, body: MemberIn, user: UserDep, session: SessionDep) -> MemberOut:
    """Add a member, or change their role."""
    dataset = access.manage_dataset(session, user=user, dataset_id=dataset_id)
    member, role = datasets.set_member(session, dataset=dataset, email=body.email, role=body.role)
    return _out(member, role)


@router.delete(
    "/{user_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems.responses(409)
)
def delete(dataset_id: deps.Id, user_id: deps.Id, user: UserDep, session: SessionDep) -> None:
    """Take a member out of the dataset."""
    dataset = access.manage_dataset(session, user=user, dataset_id=dataset_id)
    datasets.remove_member(session, dataset=dataset, user_id=user_id)
