"""Live updates: what one person changes, another who has the image open hears of."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.main import create_app
from app.models import Annotation, Category, Dataset, Image, User
from app.services import users
from app.services.imports import imports
from app.services.imports.imports import ImportOptions
from app.services.live import hub as live_hub
from app.services.live import live
from app.services.predictions import predictions
from tests.api.access_world import a_picture
from tests.api.streams import Follower, following, serving
from tests.build import (
    PASSWORD,
    make_annotation,
    make_category,
    make_image,
    make_member,
    make_prediction,
    make_user,
)
from tests.conftest import ApiClient

ClientFor = Callable[[User], ApiClient]
BOX = {"bbox": [1, 2, 30, 40]}


@dataclass
class Scene:
    """An image with one annotation, its owner, and an annotator who has it open."""

    session: Session
    dataset: Dataset
    category: Category
    image: Image
    annotation: Annotation
    watcher: User
    address: str

    def token_of(self, user: User) -> str:
        _, token = users.create_token(self.session, user=user, name="stream")
        self.session.commit()
        return token

    @contextmanager
    def watching(self, image: Image | None = None, **params: Any) -> Iterator[Follower]:
        key = (image or self.image).id
        with following(self.address, self.token_of(self.watcher), key, **params) as follower:
            yield follower


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def scene(session: Session, dataset: Dataset, address: str) -> Scene:
    category = make_category(session, dataset=dataset, keypoints=["nose", "tail"])
    image = make_image(session, dataset=dataset)
    annotation = make_annotation(session, image=image, category=category)
    watcher = make_member(session, dataset=dataset, role="annotator")
    session.commit()
    scene = Scene(session, dataset, category, image, annotation, watcher, address)
    with scene.watching() as first:
        # A process begins to listen with its first stream, which then looks once more.
        first.next("state")
        first.next("state")
    return scene


def if_match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def test_the_first_event_is_the_present_state(scene: Scene) -> None:
    revision = scene.image.revision
    with scene.watching(since=revision) as watcher:
        name, state, number = watcher.next()
    assert (name, number) == ("state", revision)
    assert state["image"]["id"] == scene.image.id
    assert (state["missed"], state["role"]) == (False, "annotator")
    assert state["people"] == [
        {"id": scene.watcher.id, "name": scene.watcher.name or scene.watcher.email}
        | {"color": state["people"][0]["color"]}
    ]


def test_every_change_of_an_annotation_arrives(scene: Scene, api: ApiClient, owner: User) -> None:
    """By all routes that make one, in order, each with its version and the image's revision."""
    one = f"/api/annotations/{scene.annotation.id}"
    keypoint = {"x": 3, "y": 4, "v": 2}
    steps: list[tuple[str, Callable[[], httpx.Response]]] = [
        ("changed", lambda: api.patch(one, json={"iscrowd": 1}, headers=if_match(1))),
        ("changed", lambda: api.put(f"{one}/keypoints/nose", json=keypoint, headers=if_match(2))),
        ("changed", lambda: api.post(
            f"{one}/draw", json={"op": "replace", "shape": BOX}, headers=if_match(3)
        )),
        ("changed", lambda: api.post(f"{one}/restore", json={"version": 1})),
        ("deleted", lambda: api.delete(one, headers=if_match(5))),
        ("created", lambda: api.post(f"{one}/restore", json={"version": 1})),
    ]  # fmt: skip
    with scene.watching() as watcher:
        revision = watcher.next("state").data["image"]["revision"]
        for version, (change, act) in enumerate(steps, start=2):
            assert act().raise_for_status().status_code < 300, version
            told = watcher.next("annotation")
            revision += 1
            assert told.data == {
                "id": scene.annotation.id,
                "version": version,
                "change": change,
                "by": owner.id,
                "revision": revision,
            }
            assert told.id == revision
        body = {"category_id": scene.category.id, **BOX}
        made = api.post(f"/api/images/{scene.image.id}/annotations", json=body).json()
        assert watcher.next("annotation").data["id"] == made["id"]


def test_what_is_refused_or_changes_nothing_is_not_told(scene: Scene, api: ApiClient) -> None:
    one = f"/api/annotations/{scene.annotation.id}"
    with scene.watching() as watcher:
        watcher.next("state")
        assert api.patch(one, json={"iscrowd": 1}, headers=if_match(7)).status_code == 412
        assert api.patch(one, json={"bbox": [1]}, headers=if_match(1)).status_code == 422
        assert api.patch(one, json={"iscrowd": 0}, headers=if_match(1)).json()["version"] == 1
        api.patch(one, json={"iscrowd": 1}, headers=if_match(1))
        assert watcher.next("annotation").data["version"] == 2


def test_status_and_categories(scene: Scene, api: ApiClient) -> None:
    """Anything but an annotation comes as the whole state anew, with digests of the rest."""
    with scene.watching() as watcher:
        before = watcher.next("state").data
        api.patch(f"/api/images/{scene.image.id}", json={"status": "done"}).raise_for_status()
        assert watcher.next("state").data["image"]["status"] == "done"
        path = f"/api/categories/{scene.category.id}"
        api.patch(path, json={"color": "#123456"}).raise_for_status()
        recoloured = watcher.next("state").data
        assert recoloured["categories"] != before["categories"]
        assert not recoloured["missed"]
        path = f"/api/datasets/{scene.dataset.id}/categories"
        made = api.post(path, json={"name": "another"}).raise_for_status().json()["id"]
        added = watcher.next("state").data["categories"]
        assert added != recoloured["categories"]
        api.delete(f"/api/categories/{made}").raise_for_status()
        assert watcher.next("state").data["categories"] == recoloured["categories"]


def test_pixels_of_a_record_that_had_none(scene: Scene, api: ApiClient) -> None:
    image = make_image(scene.session, dataset=scene.dataset, width=8, height=6)
    with scene.watching(image) as watcher:
        assert watcher.next("state").data["image"]["has_file"] is False
        (field, (_, data, kind)), *_ = a_picture()
        path = f"/api/datasets/{scene.dataset.id}/images"
        files = [(field, (image.file_name, data, kind))]
        api.post(path, files=files).raise_for_status()
        state = watcher.next("state").data
        assert (state["image"]["has_file"], state["missed"]) == (True, True)


def test_a_new_image_begins_with_its_first_annotation(scene: Scene, api: ApiClient) -> None:
    image = make_image(scene.session, dataset=scene.dataset)
    with scene.watching(image) as watcher:
        assert watcher.next("state").data["image"]["status"] == "new"
        body = {"category_id": scene.category.id, **BOX}
        api.post(f"/api/images/{image.id}/annotations", json=body).raise_for_status()
        names = {watcher.next().name, watcher.next().name}
        assert names == {"annotation", "state"}


def test_predictions(scene: Scene, api: ApiClient) -> None:
    """An accepted one is an annotation, and the digest of the open ones changes."""
    first = make_prediction(scene.session, image=scene.image, category=scene.category)
    second = make_prediction(scene.session, image=scene.image, category=scene.category)
    scene.session.commit()
    with scene.watching() as watcher:
        opened = watcher.next("state").data["open_predictions"]
        assert opened == f"2-{first.id + second.id}"
        made = api.post(f"/api/predictions/{first.id}/accept").raise_for_status().json()
        assert watcher.next("annotation").data["id"] == made["id"]
        assert watcher.next("state").data["open_predictions"] == f"1-{second.id}"
        api.post(f"/api/predictions/{second.id}/reject").raise_for_status()
        assert watcher.next("state").data["open_predictions"] == "0-0"
        api.post(f"/api/predictions/{first.id}/reopen").raise_for_status()
        assert watcher.next("annotation").data["change"] == "deleted"
        assert watcher.next("state").data["open_predictions"] == f"1-{first.id}"


def test_decisions_about_many(scene: Scene, api: ApiClient) -> None:
    kept = make_prediction(scene.session, image=scene.image, category=scene.category)
    make_prediction(scene.session, image=scene.image, category=scene.category, set_id=kept.set_id)
    scene.session.commit()
    many = f"/api/datasets/{scene.dataset.id}/predictions/{kept.set_id}"
    with scene.watching() as watcher:
        watcher.next("state")
        api.post(f"{many}/accept", json={}).raise_for_status()
        state = watcher.next("state").data
        assert (state["missed"], state["open_predictions"]) == (True, "0-0")
        api.post(f"{many}/reopen", json={}).raise_for_status()
        assert watcher.next("state").data["open_predictions"] != "0-0"
        api.post(f"{many}/reject", json={}).raise_for_status()
        assert watcher.next("state").data["open_predictions"] == "0-0"
        api.delete(many).raise_for_status()
        assert watcher.next("state").name == "state"


def test_an_import(scene: Scene, context: AppContext) -> None:
    coco = {
        "images": [{"id": scene.image.coco_id, "file_name": scene.image.file_name,
                    "width": scene.image.width, "height": scene.image.height}],
        "categories": [{"id": 77, "name": "fresh"}],
        "annotations": [{"id": 900, "image_id": scene.image.coco_id, "category_id": 77,
                         "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
    }  # fmt: skip
    with scene.watching() as watcher:
        before = watcher.next("state").data
        with context.sessions.begin() as session:
            imports.import_file(
                session,
                dataset_id=scene.dataset.id,
                user_id=None,
                file=io.BytesIO(json.dumps(coco).encode()),
                options=ImportOptions(),
            )
        state = watcher.next("state").data
        assert state["missed"]
        assert state["image"]["annotation_count"] == 2
        assert state["categories"] != before["categories"]


def test_what_is_rolled_back_was_never_said(scene: Scene, context: AppContext) -> None:
    with scene.watching() as watcher:
        watcher.next("state")
        coco = {"images": [], "annotations": [], "categories": [{"id": 5, "name": "dry"}]}
        for dry in (True, False):
            with context.sessions.begin() as session:
                imports.import_file(
                    session,
                    dataset_id=scene.dataset.id,
                    user_id=None,
                    file=io.BytesIO(json.dumps(coco).encode()),
                    options=ImportOptions(dry_run=dry),
                )
            if dry:
                with context.sessions.begin() as session:
                    predictions.delete_set(session, set_id=1)
        assert watcher.next().name == "state"


@pytest.mark.parametrize("how", ["since", "last_event_id"])
def test_whoever_was_away_hears_whether_something_was_missed(
    scene: Scene, api: ApiClient, how: str
) -> None:
    """Also when it happened on another image, which is nothing to this one."""

    def connect(revision: int) -> bool:
        params: dict[str, Any] = {"seconds": 0}
        if how == "since":
            params["since"] = revision
        else:
            params |= {"since": 12345, "headers": {"Last-Event-ID": str(revision)}}
        with scene.watching(**params) as watcher:
            (state,) = watcher.rest()
        return bool(state.data["missed"])

    revision = scene.image.revision
    other = make_image(scene.session, dataset=scene.dataset)
    api.post(f"/api/images/{other.id}/annotations", json={"category_id": scene.category.id, **BOX})
    assert connect(revision) is False
    body = {"iscrowd": 1}
    api.patch(f"/api/annotations/{scene.annotation.id}", json=body, headers=if_match(1))
    assert connect(revision) is True
    assert connect(revision + 1) is False


def test_a_broken_connection_to_the_database_loses_nothing(scene: Scene, api: ApiClient) -> None:
    """The listening connection is cut while somebody saves: everybody looks again."""
    cut = text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'maskwright live'"
    )
    with scene.watching() as watcher:
        watcher.next("state")
        # It listens by now: this is heard.
        api.patch(f"/api/images/{scene.image.id}", json={"status": "done"})
        watcher.next("state")
        scene.session.execute(cut)
        body = {"iscrowd": 1}
        api.patch(f"/api/annotations/{scene.annotation.id}", json=body, headers=if_match(1))
        # Where there was a new connection before the change, the change itself is heard.
        heard = watcher.next()
        while heard.name == "state" and not heard.data["missed"]:
            heard = watcher.next()
        assert heard.name == "state" or heard.data["change"] == "changed"
        api.delete(f"/api/annotations/{scene.annotation.id}", headers=if_match(2))
        assert watcher.next("annotation").data["change"] == "deleted"


@pytest.mark.parametrize("note", ["no JSON", '{"from": "another", "about": "people"}', "[1]"])
def test_a_note_of_somebody_else_silences_nobody(scene: Scene, api: ApiClient, note: str) -> None:
    """Whoever is in the database can write to the channel, such as a server of another version."""
    with scene.watching() as watcher:
        watcher.next("state")
        scene.session.execute(
            text("select pg_notify(:channel, :note)"), {"channel": live.CHANNEL, "note": note}
        )
        scene.session.commit()
        api.patch(f"/api/images/{scene.image.id}", json={"status": "done"})
        assert watcher.next("state").data["image"]["status"] == "done"


# Who may listen ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["member", "token", "account", "image", "dataset"])
def test_a_stream_ends_when_access_does(
    scene: Scene, api: ApiClient, client_for: ClientFor, how: str
) -> None:
    with scene.watching() as watcher:
        watcher.next("state")
        here, person = scene.dataset.id, scene.watcher.id
        if how == "member":
            answer = api.delete(f"/api/datasets/{here}/members/{person}")
        elif how == "image":
            answer = api.delete(f"/api/images/{scene.image.id}")
        elif how == "dataset":
            answer = api.delete(f"/api/datasets/{here}")
        elif how == "account":
            admin = client_for(make_user(scene.session, is_admin=True))
            answer = admin.patch(f"/api/users/{person}", json={"disabled": True})
        else:
            own = client_for(scene.watcher)
            streams = [t for t in own.get("/api/tokens").json()["items"] if t["name"] == "stream"]
            token = streams[-1]["id"]
            answer = own.delete(f"/api/tokens/{token}")
        answer.raise_for_status()
        *_, last = watcher.rest()
    wanted = "signed_out" if how in ("token", "account") else "gone"
    assert (last.name, last.data) == ("end", {"reason": wanted})


def test_signing_out_ends_ones_streams(scene: Scene) -> None:
    with httpx.Client(base_url=scene.address) as browser:
        body = {"email": scene.watcher.email, "password": PASSWORD}
        browser.post("/api/session", json=body).raise_for_status()
        path = f"/api/images/{scene.image.id}/events"
        with browser.stream("GET", path) as response:
            follower = Follower(response)
            follower.next("state")
            cookies = browser.cookies
            csrf = {"X-CSRF-Token": str(cookies["maskwright_csrf"])}
            httpx.delete(
                scene.address + "/api/session", headers=csrf, cookies=dict(cookies)
            ).raise_for_status()
            *_, last = follower.rest()
    follower.join()
    assert last.data == {"reason": "signed_out"}


def test_a_change_of_role_is_told(scene: Scene, api: ApiClient) -> None:
    with scene.watching() as watcher:
        assert watcher.next("state").data["role"] == "annotator"
        body = {"email": scene.watcher.email, "role": "viewer"}
        api.put(f"/api/datasets/{scene.dataset.id}/members", json=body).raise_for_status()
        assert watcher.next("state").data["role"] == "viewer"


def test_too_many_streams_of_one_user(
    scene: Scene, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest one makes room; another person's is left alone."""
    monkeypatch.setattr(live_hub, "MOST_STREAMS_OF_A_USER", 2)
    other = make_member(scene.session, dataset=scene.dataset, role="viewer")
    with (
        following(scene.address, scene.token_of(other), scene.image.id) as somebody_else,
        scene.watching() as first,
        scene.watching() as second,
    ):
        first.next("state")
        second.next("state")
        with scene.watching() as third:
            third.next("state")
            *_, last = first.rest()
            assert last.data == {"reason": "too_many"}
            api.patch(f"/api/images/{scene.image.id}", json={"status": "done"})
            for one in (second, third, somebody_else):
                while one.next("state").data["image"]["status"] != "done":
                    pass


def test_nobody_makes_room_before_there_are_too_many(
    scene: Scene, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as allowed go on; with two more, the oldest two end."""
    monkeypatch.setattr(live_hub, "MOST_STREAMS_OF_A_USER", 5)
    with ExitStack() as stack:
        streams = [stack.enter_context(scene.watching()) for _ in range(5)]
        for one in streams:
            one.next("state")
        api.patch(f"/api/images/{scene.image.id}", json={"status": "done"})
        for one in streams:
            assert one.next("state").data["image"]["status"] == "done"
        streams += [stack.enter_context(scene.watching()) for _ in range(2)]
        for one in streams[-2:]:
            one.next("state")
        for one in streams[:2]:
            *_, last = one.rest()
            assert last.data == {"reason": "too_many"}
        api.patch(f"/api/images/{scene.image.id}", json={"status": "in_progress"})
        for one in streams[2:]:
            assert one.next("state").data["image"]["status"] == "in_progress"


# Who is there ------------------------------------------------------------------------------------


def names(people: list[dict[str, Any]]) -> set[int]:
    return {person["id"] for person in people}


def test_people_come_and_go(scene: Scene, owner: User) -> None:
    """Once each, however many windows they have; gone as soon as the last one is closed."""
    token = scene.token_of(owner)
    with scene.watching() as watcher:
        assert names(watcher.next("state").data["people"]) == {scene.watcher.id}
        with following(scene.address, token, scene.image.id) as first:
            first.next("state")
            assert names(watcher.next("people").data["people"]) == {scene.watcher.id, owner.id}
            with following(scene.address, token, scene.image.id) as second:
                second.next("state")
        assert names(watcher.next("people").data["people"]) == {scene.watcher.id}


def test_two_server_processes(
    scene: Scene, api: ApiClient, context: AppContext, owner: User
) -> None:
    """They share a database and nothing else: changes and people of one are known to the other."""
    other_app = create_app(context.settings, context)
    token = scene.token_of(owner)
    both = {scene.watcher.id, owner.id}
    with scene.watching() as here:
        here.next("state")
        with serving(other_app) as elsewhere, following(elsewhere, token, scene.image.id) as there:
            while names(there.next().data["people"]) != both:
                pass
            assert names(here.next("people").data["people"]) == both
            body = {"iscrowd": 1}
            api.patch(f"/api/annotations/{scene.annotation.id}", json=body, headers=if_match(1))
            assert here.next("annotation").data == there.next("annotation").data
        assert names(here.next("people").data["people"]) == {scene.watcher.id}


def test_a_stranger_hears_nothing(scene: Scene, client_for: ClientFor) -> None:
    stranger = client_for(make_user(scene.session))
    assert stranger.get(f"/api/images/{scene.image.id}/events").status_code == 404
    assert stranger.get("/api/images/1/events").status_code == 404
