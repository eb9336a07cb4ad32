"""Errors of pages as pages; the API's stay ``application/problem+json``.

`install` wraps the handlers that app/api/problems.py put in place: a browser that asked for HTML
outside the API gets the same problem on a page that says what happened and what to do.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from starlette.concurrency import run_in_threadpool

from app.api import deps
from app.context import AppContext
from app.web.render import Viewer, renderer

__all__ = ["install"]

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]

_NOT_PAGES = ("/api/", "/static/", "/openapi.json", "/healthz", "/readyz")
_ADVICE = {
    403: "Ask an owner of the dataset or an administrator for the right to do this.",
    404: "The address may be mistyped, the thing deleted, or you may not be a member of its "
    "dataset. An owner of the dataset can add you.",
    500: "Nothing was changed by this request. Try again; when it stays, tell whoever runs this "
    "server, whose log has the details.",
    503: "Nothing was lost. Try again in a moment.",
}
_TITLES = {403: "You may not do that", 404: "Nothing here", 503: "Not available just now"}


def _wants_page(request: Request) -> bool:
    """Whether a browser is to look at the answer."""
    path = request.url.path
    if any(path == name or path.startswith(name) for name in _NOT_PAGES):
        return False
    return "text/html" in request.headers.get("accept", "")


def _sign_in(request: Request) -> Response:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    # A partial page is asked for by a script: it should come back to the whole one.
    query = "" if target == "/" else "?" + urlencode({"next": target})
    return RedirectResponse(f"/login{query}", 303, headers={"Cache-Control": "no-store"})


def _viewer(request: Request) -> Viewer | None:
    """Who looks, also at an address that no route knows and so nobody was asked for."""
    if "endpoint" in request.scope:
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        return viewer
    context: AppContext = request.app.state.context
    try:
        with context.sessions.begin() as session:
            identity = deps.find_identity(request, context, session)
            return Viewer.of(identity.user) if identity else None
    except (DBAPIError, NoFreeConnection):
        # The address is wrong all the same.
        return None


def _page(request: Request, problem: Response) -> Response:
    body: dict[str, Any] = json.loads(bytes(problem.body))
    status = int(body["status"])
    if status == 401:
        return _sign_in(request)
    if status == 422 and any(error["loc"][:1] == ["path"] for error in body["errors"]):
        status, body["detail"] = 404, "There is no such page."
    if "endpoint" not in request.scope:
        body["detail"] = "There is no such page."
    return renderer(request)(
        request,
        "problem.html",
        status=status,
        viewer=_viewer(request),
        code=status,
        title=_TITLES.get(status, body["title"]),
        detail=body["detail"],
        advice=_ADVICE.get(status, ""),
    )


def _wrapped(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await run_in_threadpool(handler, request, error)
        problem = answer if isinstance(answer, Response) else await answer
        if not _wants_page(request) or not problem.body:
            return problem
        return await run_in_threadpool(_page, request, problem)

    return handle


def install(app: FastAPI) -> None:
    """Show every error of a page on a page."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _wrapped(handler))
