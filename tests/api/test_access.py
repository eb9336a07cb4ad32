"""Who may call what: every route of the application, with every role, a stranger and nobody.

`TABLE` has one row for each route; a route without a row fails. A row names the least role that may
call it, and a request that succeeds for those who may:

``anybody``    also without signing in
``user``       whoever is signed in
``own``        the person to whom the thing belongs, and nobody else
``viewer``, ``annotator``, ``owner``   that role in the dataset, or a higher one, or administrators
``admin``      administrators

Refused are: nobody with 401, a stranger to the dataset with 404, a member with too low a role
with 403, and whoever is no administrator with 403.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import User
from app.services import users
from tests.api.access_world import World, a_coco_file, a_picture, build_world
from tests.conftest import ApiClient

ACTORS = ("nobody", "stranger", "viewer", "annotator", "owner", "admin")
_RANKS = {"viewer": 1, "annotator": 2, "owner": 3, "admin": 4}


@dataclass(frozen=True)
class Row:
    """Who may call a route at least, and how."""

    least: str
    request: Callable[[World], dict[str, Any]] = lambda _world: {}


def json(body: object) -> Callable[[World], dict[str, Any]]:
    """A request with this JSON body."""
    return lambda _world: {"json": body}


def edit(body: object) -> Callable[[World], dict[str, Any]]:
    """A change of the annotation's first version, with this JSON body unless it is None."""
    named = {} if body is None else {"json": body}
    return lambda _world: {"headers": {"If-Match": '"1"'}, **named}


TABLE: dict[str, Row] = {
    "GET /healthz": Row("anybody"),
    "GET /readyz": Row("anybody"),
    "POST /api/session": Row("anybody", lambda w: {"json": w.credentials}),
    "DELETE /api/session": Row("cookie"),
    "GET /api/me": Row("user"),
    "PATCH /api/me": Row("user", json({"name": "A name"})),
    "GET /api/me/preferences": Row("user"),
    "PATCH /api/me/preferences": Row("user", json({"view": {"labels": True}})),
    "GET /api/tokens": Row("user"),
    "POST /api/tokens": Row("user", json({"name": "a script"})),
    "GET /api/tokens/{token_id}": Row("own"),
    "DELETE /api/tokens/{token_id}": Row("own"),
    "GET /api/users": Row("admin"),
    "POST /api/users": Row(
        "admin", lambda w: {"json": {"email": w.fresh_name + "@x.org", "password": "long enough"}}
    ),
    "PATCH /api/users/{user_id}": Row("admin", json({"disabled": True})),
    "GET /api/datasets": Row("user"),
    "POST /api/datasets": Row("user", lambda w: {"json": {"name": w.fresh_name}}),
    "GET /api/datasets/{dataset_id}": Row("viewer"),
    "PATCH /api/datasets/{dataset_id}": Row("owner", json({"description": "x"})),
    "DELETE /api/datasets/{dataset_id}": Row("owner"),
    "GET /api/datasets/{dataset_id}/members": Row("viewer"),
    "PUT /api/datasets/{dataset_id}/members": Row(
        "owner", lambda w: {"json": {"email": w.people["stranger"].email, "role": "viewer"}}
    ),
    "DELETE /api/datasets/{dataset_id}/members/{user_id}": Row("owner"),
    "GET /api/datasets/{dataset_id}/categories": Row("viewer"),
    "POST /api/datasets/{dataset_id}/categories": Row("owner", json({"name": "another"})),
    "PATCH /api/categories/{category_id}": Row("owner", json({"color": "#112233"})),
    "DELETE /api/categories/{unused_category_id}": Row("owner"),
    "GET /api/datasets/{dataset_id}/statistics": Row("viewer"),
    "GET /api/datasets/{dataset_id}/images": Row("viewer"),
    "POST /api/datasets/{dataset_id}/images": Row("owner", lambda _w: {"files": a_picture()}),
    "GET /api/images/{image_id}": Row("viewer"),
    "PATCH /api/images/{image_id}": Row("annotator", json({"status": "done"})),
    "DELETE /api/images/{image_id}": Row("owner"),
    "GET /api/images/{image_id}/neighbours": Row("viewer"),
    "GET /api/images/{image_id}/visit": Row("viewer"),
    "GET /api/images/{shown_image_id}/file": Row("viewer"),
    "GET /api/images/{shown_image_id}/picture": Row("viewer"),
    "GET /api/images/{shown_image_id}/thumbnail": Row("viewer"),
    "GET /api/images/{shown_image_id}/overlay": Row("viewer"),
    "GET /api/images/{shown_image_id}/tiles": Row("viewer"),
    "GET /api/images/{shown_image_id}/tiles/{level}/{column}/{row}": Row("viewer"),
    "GET /api/images/{image_id}/annotations": Row("viewer"),
    "POST /api/images/{image_id}/annotations": Row(
        "annotator",
        lambda w: {"json": {"category_id": w.ids["category_id"], "bbox": [1, 2, 3, 4]}},
    ),
    "GET /api/images/{image_id}/events": Row("viewer", lambda _w: {"params": {"seconds": 0}}),
    "GET /api/datasets/{dataset_id}/annotations": Row("viewer"),
    "GET /api/annotations/{annotation_id}": Row("viewer"),
    "GET /api/annotations/{annotation_id}/rle": Row("viewer"),
    "GET /api/annotations/{annotation_id}/mask.png": Row("viewer"),
    "PATCH /api/annotations/{annotation_id}": Row("annotator", edit({"bbox": [1, 2, 3, 4]})),
    "DELETE /api/annotations/{annotation_id}": Row("annotator", edit(None)),
    "POST /api/annotations/{annotation_id}/draw": Row(
        "annotator", edit({"op": "add", "shape": {"bbox": [0, 0, 50, 50]}})
    ),
    "PUT /api/annotations/{annotation_id}/keypoints/{name:path}": Row(
        "annotator", edit({"x": 3, "y": 4, "v": 2})
    ),
    "DELETE /api/annotations/{annotation_id}/keypoints/{name:path}": Row("annotator", edit(None)),
    "GET /api/annotations/{annotation_id}/history": Row("viewer"),
    "POST /api/annotations/{annotation_id}/restore": Row("annotator", json({"version": 1})),
    "GET /api/datasets/{dataset_id}/predictions": Row("viewer"),
    "DELETE /api/datasets/{dataset_id}/predictions/{set_id}": Row("owner"),
    "POST /api/datasets/{dataset_id}/predictions/{set_id}/accept": Row("annotator", json({})),
    "POST /api/datasets/{dataset_id}/predictions/{set_id}/reject": Row("annotator", json({})),
    "POST /api/datasets/{dataset_id}/predictions/{set_id}/reopen": Row("annotator", json({})),
    "GET /api/datasets/{dataset_id}/predictions/{set_id}/results.json": Row("viewer"),
    "GET /api/images/{image_id}/predictions": Row("viewer"),
    "POST /api/predictions/{prediction_id}/accept": Row("annotator"),
    "POST /api/predictions/{prediction_id}/reject": Row("annotator"),
    "POST /api/predictions/{prediction_id}/reopen": Row("annotator"),
    "POST /api/datasets/{dataset_id}/imports": Row("owner", lambda _w: {"files": a_coco_file()}),
    "POST /api/datasets/{dataset_id}/mask-imports": Row(
        "owner", lambda _w: {"files": [("file", a_picture()[0][1])]}
    ),
    "GET /api/datasets/{dataset_id}/export/{task}.json": Row("viewer"),
    "GET /api/datasets/{dataset_id}/export.zip": Row("viewer"),
    "GET /api/datasets/{dataset_id}/export/{format}.zip": Row("viewer"),
    "GET /api/jobs": Row("user"),
    "GET /api/jobs/{job_id}": Row("viewer"),
    "GET /api/jobs/{job_id}/events": Row("viewer"),
    "DELETE /api/jobs/{queued_job_id}": Row("owner"),
    "GET /": Row("user"),
    "GET /datasets": Row("user", lambda _w: {"params": {"cursor": "WyJhIiwxXQ"}}),
    "GET /datasets/{dataset_id}": Row("viewer"),
    "GET /datasets/{dataset_id}/images": Row("viewer"),
    "GET /datasets/{dataset_id}/start": Row("viewer"),
    "GET /datasets/{dataset_id}/categories": Row("viewer"),
    "GET /datasets/{dataset_id}/predictions": Row("viewer"),
    "GET /datasets/{dataset_id}/statistics": Row("viewer"),
    "GET /datasets/{dataset_id}/members": Row("viewer"),
    "GET /datasets/{dataset_id}/settings": Row("viewer"),
    "GET /images/{image_id}": Row("viewer"),
    "GET /jobs": Row("user"),
    "GET /jobs/rows": Row("user"),
    "GET /jobs/{job_id}": Row("viewer"),
    "GET /jobs/{job_id}/report": Row("viewer"),
    "GET /login": Row("anybody"),
    "GET /account": Row("user"),
    "GET /admin/users": Row("admin"),
    "GET /docs": Row("anybody"),
}
_MASK = {"size": [2, 2], "counts": [1, 3]}
TABLE |= {
    f"POST /api/masks/{op}": Row("user", json({"items": [item]}))
    for op, item in {
        "from-polygons": {"size": [2, 2], "polygons": [[0, 0, 1, 0, 1, 1]]},
        "from-bbox": {"size": [2, 2], "bbox": [0, 0, 1, 1]},
        "encode": {"mask": [[0, 1]]},
        "decode": _MASK,
        "area": _MASK,
        "bbox": _MASK,
        "merge": {"masks": [_MASK]},
        "iou": {"dt": [_MASK], "gt": [_MASK]},
        "to-polygons": _MASK,
    }.items()
}


def routes_of(app: FastAPI) -> list[str]:
    """Every method and path that our routers serve."""
    return sorted(
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    )


def may(actor: str, least: str) -> bool:
    if least == "anybody":
        return True
    if actor == "nobody":
        return False
    if least == "user":
        return True
    if least == "own":
        return actor == "viewer"
    return _RANKS.get(actor, 0) >= _RANKS[least]


def refusal(actor: str, least: str) -> int:
    if actor == "nobody":
        return 401
    if least == "admin":
        return 403
    if least == "own" or actor == "stranger":
        return 404
    return 403


def test_every_route_has_a_row(app: FastAPI) -> None:
    known = {re.sub(r"{(?:unused|queued|shown)_(\w+)}", r"{\1}", key) for key in TABLE}
    assert set(routes_of(app)) == known


@pytest.mark.parametrize("key", TABLE)
def test_roles(key: str, app: FastAPI, session: Session, settings: Settings) -> None:
    row = TABLE[key]
    if row.least == "cookie":
        pytest.skip("signing out is tested with cookies in test_sessions.py")
    # The world's picture is small, and has tiles all the same.
    settings.tiled_from_pixels = 1
    method, path = key.split(" ", 1)
    world = build_world(session, app)
    for actor in ACTORS:
        client = client_of(world.people.get(actor), app, session)
        answer = client.request(
            method, world.fill(path), follow_redirects=False, **row.request(world)
        )
        if may(actor, row.least):
            assert answer.status_code < 400, f"{actor}: {answer.text}"
            world = build_world(session, app)
        else:
            wanted = refusal(actor, row.least)
            assert answer.status_code == wanted, f"{actor}: {answer.text}"


def client_of(user: User | None, app: FastAPI, session: Session) -> ApiClient:
    """A client that acts as a user, or as nobody."""
    client = ApiClient(app, session)
    if user is not None:
        _, token = users.create_token(session, user=user, name="test")
        client.headers["Authorization"] = f"Bearer {token}"
    return client
