"""From a template to an answer: who looks, the theme, the CSRF cookie, the headers.

A page route asks for `PageDep` and ends with ``page.render("name.html", …)``. Pages hold no inline
scripts, and the policy sent along forbids them: what a template tells a script stands in data
attributes or in a block of ``application/json``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from app.api import deps, sessions
from app.api.deps import ContextDep, SessionDep
from app.context import AppContext
from app.errors import Unauthenticated
from app.models import User
from app.services import access
from app.web import formats
from app.web.assets import Assets

__all__ = ["THEME_COOKIE", "Page", "PageDep", "Renderer", "Viewer", "local_path", "renderer"]

THEME_COOKIE = "maskwright_theme"
THEMES = ("light", "dark")

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # Elements that move under the pointer carry their place in a style attribute.
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # A page shows what one person may see; after signing out, Back must not show it again.
    "Cache-Control": "no-store",
}


def theme_of(request: Request) -> str | None:
    """The theme that this browser chose; None follows the system."""
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in THEMES else None


def local_path(target: str | None) -> str:
    """`target` when it is a path on this server, else the front page: no open redirects."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    if any(ord(char) < 33 or ord(char) == 127 or char == "\\" for char in target):
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target


@dataclass(frozen=True)
class Viewer:
    """Who looks at a page: plain values, which outlive the request's transaction."""

    id: int
    email: str
    name: str
    is_admin: bool

    @classmethod
    def of(cls, user: User) -> "Viewer":
        return cls(user.id, user.email, user.name or user.email, user.is_admin)


class Renderer:
    """The templates of one application, with the front-end build that they name."""

    def __init__(self, assets: Assets) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(formats.FILTERS)
        self._templates.globals.update(
            query_string=formats.query_string, icon=assets.icon, entry=assets.entry
        )

    def __call__(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        viewer: Viewer | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """A page as an answer."""
        html = self._templates.get_template(template).render(
            viewer=viewer, theme=theme_of(request), path=request.url.path, **values
        )
        return HTMLResponse(html, status, headers=HEADERS)


def renderer(request: Request) -> Renderer:
    """The application's renderer."""
    found: Renderer = request.app.state.renderer
    return found


class Page:
    """One page for one signed-in person."""

    def __init__(
        self, request: Request, context: AppContext, session: Session, identity: deps.Identity
    ) -> None:
        self.request = request
        self.context = context
        self.session = session
        self.identity = identity
        self.user = identity.user
        self.viewer = Viewer.of(identity.user)

    def role(self, dataset_id: int) -> str:
        """What the person may do in a dataset that they may see."""
        found = access.role_in(self.session, user=self.user, dataset_id=dataset_id)
        return found or "viewer"

    def render(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The template's page; keeps the cookie by which its scripts prove to be ours."""
        answer = renderer(self.request)
        response = answer(self.request, template, status=status, viewer=self.viewer, **values)
        cookie = self.identity.cookie
        if cookie is not None:
            wanted = deps.csrf_token(self.context.secret_key, cookie)
            if self.request.cookies.get(deps.CSRF_COOKIE) != wanted:
                sessions.set_cookies(response, self.request, self.context, cookie)
        return response


def get_page(request: Request, context: ContextDep, session: SessionDep) -> Page:
    """The page for whoever is signed in; nobody is sent to sign in (see app/web/problems.py)."""
    identity = deps.find_identity(request, context, session)
    if identity is None:
        raise Unauthenticated("Sign in to see this page.")
    page = Page(request, context, session, identity)
    request.state.viewer = page.viewer
    return page


PageDep = Annotated[Page, Depends(get_page, scope="function")]
