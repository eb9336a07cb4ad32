"""Live updates: what happens to an image while somebody has it open, as server-sent events."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from app.api import deps, images, problems
from app.api.deps import ContextDep, IdentityDep, SessionDep
from app.context import AppContext
from app.errors import AppError, Unauthenticated
from app.services import access
from app.services.datasets import palette
from app.services.live import state as live_state
from app.services.live.hub import Heard, LiveHub
from app.services.live.presence import Person

__all__ = ["router"]

router = APIRouter(tags=["live"], responses=problems.responses(400, 401, 403, 404, 422, 503))

# Proxies close a connection on which nothing moves for a minute or so; and a person whose machine
# has left the network is noticed when nothing of this is acknowledged.
_PING_SECONDS = 10.0
# A browser connects again by itself, and has to prove then that it still may.
_LONGEST_SECONDS = 900
_RETRY_MS = 1000
# Of all streams together: a look needs a thread and a connection that requests have no use for.
_LOOKS_AT_ONCE = 4
_log = logging.getLogger("maskwright.live")
_looks: RunVar[anyio.CapacityLimiter] = RunVar("live looks")


class PersonOut(BaseModel):
    """Somebody who has the image open."""

    id: int
    name: str
    color: str


class StateOut(BaseModel):
    """The event `state`: how the image is now.

    `missed` says that its annotations or pixels are not those of the revision that the client named
    or was last told of. `categories` and `open_predictions` are texts that change when what they
    stand for does.
    """

    image: images.ImageOut
    missed: bool
    role: Literal["owner", "annotator", "viewer"]
    categories: str
    open_predictions: str
    people: list[PersonOut]


class AnnotationEvent(BaseModel):
    """The event `annotation`: one annotation has a new version, by the user `by`."""

    id: int
    version: int
    change: Literal["created", "changed", "deleted"]
    by: int | None
    revision: int


class PeopleEvent(BaseModel):
    """The event `people`: who has the image open by now."""

    people: list[PersonOut]


class EndEvent(BaseModel):
    """The event `end`: there will be no more, and why."""

    reason: Literal["gone", "signed_out", "too_many"]


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


async def get_hub(request: Request) -> LiveHub:
    hub: LiveHub = request.app.state.live
    return hub


HubDep = Annotated[LiveHub, Depends(get_hub)]


@router.get(
    "/images/{image_id}/events",
    response_class=EventStream,
    responses={
        200: {
            "model": StateOut | AnnotationEvent | PeopleEvent | EndEvent,
            "description": "Server-sent events named state, annotation, people and end; each "
            "`data` line is JSON, and `id` the image's revision.",
        }
    },
)
def events(
    image_id: deps.Id,
    identity: IdentityDep,
    session: SessionDep,
    context: ContextDep,
    hub: HubDep,
    request: Request,
    since: Annotated[
        int | None,
        Query(ge=0, le=2**63 - 1, description="The image's revision that the client knows."),
    ] = None,
    last_event_id: Annotated[
        str | None, Header(description="The same, as browsers send it when they connect again.")
    ] = None,
    seconds: Annotated[
        int, Query(ge=0, le=_LONGEST_SECONDS, description="End after this time.")
    ] = _LONGEST_SECONDS,
) -> EventStream:
    """The image now, and what happens to it from now on, as server-sent events."""
    image = access.view_image(session, user=identity.user, image_id=image_id)
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        since = int(last_event_id)
    user = identity.user
    stream = _Stream(
        hub=hub,
        person=Person(user.id, user.name or user.email),
        image_id=image.id,
        dataset_id=image.dataset_id,
        look=lambda: _look(context, request, image_id),
        ends_at=time.monotonic() + seconds,
        told=since,
    )
    return EventStream(stream.run(), headers={"X-Accel-Buffering": "no"})


class _Ended(Exception):
    """The stream has nothing more to tell."""

    def __init__(self, reason: Literal["gone", "signed_out"]) -> None:
        self.reason = reason


@dataclass(frozen=True)
class _Seen:
    """What a look at the image saw; the people are added by the stream."""

    image: images.ImageOut
    role: str
    categories: str
    open_predictions: str


def _look(context: AppContext, request: Request, image_id: int) -> _Seen:
    """The image as it is; who is asking and what they may see is found out anew."""
    with context.sessions.begin() as session:
        identity = deps.find_identity(request, context, session)
        if identity is None:
            raise _Ended("signed_out")
        try:
            image = access.view_image(session, user=identity.user, image_id=image_id)
        except Unauthenticated:
            raise _Ended("signed_out") from None
        except AppError:
            raise _Ended("gone") from None
        role = access.role_in(session, user=identity.user, dataset_id=image.dataset_id)
        seen = live_state.look(session, image=image)
        return _Seen(images.out(image), role or "viewer", seen.categories, seen.open_predictions)


@dataclass
class _Stream:
    """One client that follows one image; `told` is the newest revision that it knows of."""

    hub: LiveHub
    person: Person
    image_id: int
    dataset_id: int
    look: Callable[[], _Seen]
    ends_at: float
    told: int | None

    async def run(self) -> AsyncIterator[bytes]:
        with self.hub.subscribe(
            image_id=self.image_id, dataset_id=self.dataset_id, person=self.person
        ) as subscription:
            yield format_sse_event(retry=_RETRY_MS)
            try:
                yield await self._state()
                while (left := self.ends_at - time.monotonic()) > 0:
                    heard = await subscription.next(min(left, _PING_SECONDS))
                    if heard.ended == "closing":
                        return
                    if heard.ended == "too_many":
                        yield _event("end", EndEvent(reason="too_many"))
                        return
                    for note in heard.annotations:
                        if self._is_next(note):
                            yield self._annotation(note)
                    if heard.look or self._missed(heard):
                        yield await self._state()
                    elif heard.people:
                        yield _event("people", PeopleEvent(people=self._people()), self.told)
                    elif not heard.annotations:
                        yield format_sse_event(comment="ping")
            except _Ended as ended:
                yield _event("end", EndEvent(reason=ended.reason))
            except SQLAlchemyError as error:
                # The database is away. The client connects again, and hears then what it missed.
                _log.info("A stream ends: %s", error)

    async def _state(self) -> bytes:
        try:
            limiter = _looks.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(_LOOKS_AT_ONCE)
            _looks.set(limiter)
        seen = await anyio.to_thread.run_sync(self.look, limiter=limiter)
        missed = self.told != seen.image.revision
        self.told = seen.image.revision
        state = StateOut.model_validate({**vars(seen), "missed": missed, "people": self._people()})
        return _event("state", state, self.told)

    def _is_next(self, note: dict[str, Any]) -> bool:
        """Whether nothing else happened to the image since the last event."""
        return self.told is not None and note["revision"] == self.told + 1

    def _missed(self, heard: Heard) -> bool:
        """Whether notes were lost between those that came."""
        return any(self.told is None or note["revision"] > self.told for note in heard.annotations)

    def _annotation(self, note: dict[str, Any]) -> bytes:
        self.told = note["revision"]
        return _event("annotation", AnnotationEvent.model_validate(note), self.told)

    def _people(self) -> list[PersonOut]:
        return [
            PersonOut(id=person.id, name=person.name, color=palette.color_for(person.id))
            for person in self.hub.people(self.image_id)
        ]


def _event(name: str, body: BaseModel, revision: int | None = None) -> bytes:
    return format_sse_event(
        event=name,
        data_str=body.model_dump_json(),
        id=None if revision is None else str(revision),
    )
