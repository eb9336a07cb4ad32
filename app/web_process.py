"""The web process of `maskwright serve`: makes the database ready, then serves."""

import json
import logging
import os
import secrets
import socket
import sys

import uvicorn
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError

from app import db
from app.api.long_bodies import LongBodies
from app.config import Settings
from app.context import AppContext, make_context
from app.errors import AppError
from app.main import create_app
from app.services import users
from app.services.live.hub import LiveHub

__all__ = ["run"]

DEFAULT_ADMIN = "admin@localhost"
# Streams that are still open then, such as the progress of a job, are cut.
SECONDS_FOR_OPEN_REQUESTS = 1


def run(settings: Settings, descriptor: int, *, demo: bool) -> None:
    """Serve on the socket `descriptor`, once a line on stdin says that the database is there.

    Then one line of JSON on stdout tells the supervisor how to sign in, when that is new, or what
    went wrong.
    """
    with socket.socket(fileno=descriptor) as opened:
        if not sys.stdin.readline():
            # The supervisor has given up, or is gone.
            return
        try:
            context, hint = _prepare(settings, demo=demo)
        except AppError as error:
            _report(error=error.detail)
        except DBAPIError as error:
            reason = (str(error.orig).strip() or "no reason given").splitlines()[0]
            _report(error=f"The database cannot be used: {reason}")
        else:
            _report(hint=hint)
            _serve(settings, context, opened)
            context.close()


def _prepare(settings: Settings, *, demo: bool) -> tuple[AppContext, str]:
    context = make_context(settings)
    if not db.is_migrated(context.engine):
        db.migrate(str(settings.database_url))
    hint = _ensure_administrator(context)
    if demo:
        from app.demo import add_demo

        add_demo(context)
    return context, hint


def _ensure_administrator(context: AppContext) -> str:
    """Make an administrator when nobody has an account yet; returns how to sign in, or ""."""
    settings = context.settings
    email = settings.admin_email or DEFAULT_ADMIN
    given = settings.admin_password
    password = given.get_secret_value() if given else secrets.token_urlsafe(9)
    with context.sessions.begin() as session:
        if users.any_user(session):
            return ""
        users.create_user(session, email=email, password=password, is_admin=True)
    return f"sign in as {email}" + ("" if given else f" with password {password}")


def _report(**members: str) -> None:
    print(json.dumps(members), flush=True)  # noqa: T201 - the supervisor reads it
    # From here on nobody reads our output.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


class _Server(uvicorn.Server):
    """A server that says nothing of the requests that its own end cuts short.

    Streams of live updates end by themselves first: nobody has to wait for them.
    """

    def __init__(self, config: uvicorn.Config, hub: LiveHub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await run_in_threadpool(self._hub.close)
        await super().shutdown(sockets)


def _serve(settings: Settings, context: AppContext, opened: socket.socket) -> None:
    app = create_app(settings, context, long_bodies=LongBodies())
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        server_header=False,
        timeout_graceful_shutdown=SECONDS_FOR_OPEN_REQUESTS,
    )
    _Server(config, app.state.live).run(sockets=[opened])
