"""A real PostgreSQL, a real application, and nothing left over between tests.

Each test process starts one embedded PostgreSQL, migrated once. A test commits like the product
does, and the tables are emptied behind it. ``MASKWRIGHT_TEST_DATABASE_URL`` names another server
to use instead (its database is emptied, too).
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2 as httpx
import hypothesis
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.config import Settings
from app.context import AppContext
from app.db import connect, migrate, session_factory
from app.embedded_postgres import EmbeddedPostgres
from app.main import create_app
from app.models import Base, User
from app.services import users
from app.services.files.storage import open_storage

Result = TypeVar("Result")

# How long one example takes says nothing on a machine that runs other tests beside it.
hypothesis.settings.register_profile("maskwright", deadline=None)
hypothesis.settings.load_profile("maskwright")

# Rows of each table count from a number of their own, so that an image's id is never accidentally
# equal to its dataset's.
FIRST_ID_STEP = 1000


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database for this test process."""
    if url := os.environ.get("MASKWRIGHT_TEST_DATABASE_URL"):
        migrate(url)
        yield url
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        migrate(server.url)
        yield server.url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with engine.begin() as connection:
        for number, table in enumerate(Base.metadata.sorted_tables, start=1):
            column = table.c.get("id")
            if column is not None:
                start = number * FIRST_ID_STEP
                connection.execute(
                    text(f'alter table "{table.name}" alter column id restart with {start}')
                )
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a server of its own, untouched by the environment."""
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        database_url=database_url,
        secret_key=SecretStr("a key for tests"),
    )


@pytest.fixture
def context(settings: Settings, engine: Engine) -> Iterator[AppContext]:
    """The parts of a running process on the real database, which is emptied afterwards."""
    yield AppContext(
        settings=settings,
        engine=engine,
        sessions=session_factory(engine),
        storage=open_storage(settings),
        secret_key="a key for tests",
    )
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text("set local lock_timeout = '10s'"))
        connection.execute(text(f"truncate {tables}, procrastinate_jobs cascade"))


@pytest.fixture
def session(context: AppContext) -> Iterator[Session]:
    """A session for arranging and looking; `ApiClient` commits and forgets around requests."""
    with Session(context.engine) as session:
        yield session


@pytest.fixture
def app(context: AppContext) -> Iterator[FastAPI]:
    app = create_app(context.settings, context)
    yield app
    app.state.live.close()
    app.state.tiles.close()
    app.state.large_pictures.close()


class ApiClient(TestClient):
    """A test client that sees what the test arranged, and lets the test see what it changed."""

    def __init__(self, app: FastAPI, session: Session) -> None:
        super().__init__(app, raise_server_exceptions=True)
        self._session = session

    def request(self, *args: Any, **kwargs: Any) -> httpx.Response:
        self._session.commit()
        self._session.expire_all()
        return super().request(*args, **kwargs)


@pytest.fixture
def client(app: FastAPI, session: Session) -> ApiClient:
    """A client that is not signed in."""
    return ApiClient(app, session)


@pytest.fixture
def client_for(app: FastAPI, session: Session) -> Callable[[User], ApiClient]:
    """Makes a client that acts as a user, with an API token."""

    def make(user: User) -> ApiClient:
        _, token = users.create_token(session, user=user, name="test")
        session.commit()
        client = ApiClient(app, session)
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    return make


def run_async(function: Callable[..., Awaitable[Result]], *args: Any) -> Result:
    """Run a coroutine function to its end.

    In a thread of its own: where browser tests ran before, this one has an event loop already.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, function, *args).result()
