"""The API's description is true: generated requests, good and bad, find no failure of ours and no
answer that is not described.

Generated ids would nearly always miss, so half of them are replaced by ids that exist.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from sqlalchemy.orm import Session

from app.services import users
from tests.api.access_world import World, build_world

Case: TypeAlias = "schemathesis.Case[Any]"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES_PER_ROUTE = 12


@pytest.fixture
def world(session: Session, app: FastAPI) -> World:
    return build_world(session, app)


@pytest.fixture
def requests_of(
    app: FastAPI, session: Session, world: World
) -> Callable[[Any], SearchStrategy[Case]]:
    """Requests for an operation, with a token of the dataset's owner and ids that exist."""
    _, token = users.create_token(session, user=world.people["owner"], name="generated")
    session.commit()

    def requests(operation: Any) -> SearchStrategy[Case]:
        def improve(case: Case, hit: bool) -> Case:
            case.headers["Authorization"] = f"Bearer {token}"
            for key in case.path_parameters or {}:
                if hit and key in world.ids:
                    case.path_parameters[key] = world.ids[key]
            return case

        return st.builds(improve, operation.as_strategy(), st.booleans())

    return requests


@pytest.mark.timeout(300)
def test_generated_requests(
    app: FastAPI, requests_of: Callable[[Any], SearchStrategy[Case]]
) -> None:
    description = schemathesis.openapi.from_asgi("/openapi.json", app)
    found = {}
    for result in description.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        try:
            check(requests_of(operation))
        except Exception as error:  # noqa: BLE001 - every route is looked at, then all are told
            found[operation.label] = str(error)
    assert not found, "\n\n".join(f"{label}: {error}" for label, error in found.items())


def check(requests: SearchStrategy[Case]) -> None:
    """Send generated requests and look at the answers."""

    @settings(
        max_examples=EXAMPLES_PER_ROUTE,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def send(case: Case) -> None:
        case.validate_response(case.call(), checks=CHECKS)

    send()


def test_every_route_tells_how_it_can_fail(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/api/"):
                described = operation["responses"].keys()
                assert {"422", "503"} <= described, f"{method} {path}"
                assert path == "/api/session" or "401" in described, f"{method} {path}"
