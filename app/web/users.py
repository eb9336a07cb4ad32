"""Pages of people: signing in, one's account, and all users for administrators."""

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.api import deps
from app.api.deps import ContextDep, SessionDep
from app.services import access, users
from app.web.render import PageDep, local_path, renderer

__all__ = ["router"]

router = APIRouter()


@router.get("/login")
def login(
    request: Request,
    context: ContextDep,
    session: SessionDep,
    target: str | None = Query(default=None, alias="next", max_length=2000),
) -> Response:
    """Sign in; who is signed in goes on to `next`, which must be a path on this server."""
    wanted = local_path(target)
    if deps.find_identity(request, context, session) is not None:
        return RedirectResponse(wanted, 303, headers={"Cache-Control": "no-store"})
    render = renderer(request)
    return render(request, "login.html", target=wanted, first_run=not users.any_user(session))


@router.get("/account")
def account(page: PageDep) -> Response:
    """One's own name, password and tokens."""
    return page.render(
        "account.html",
        account=page.user,
        tokens=users.list_tokens(page.session, user=page.user),
        least_password=users.MIN_PASSWORD_LENGTH,
    )


@router.get("/admin/users")
def index(page: PageDep) -> Response:
    """Every account, for administrators."""
    access.administer(page.user)
    return page.render(
        "users.html",
        users=users.list_users(page.session),
        least_password=users.MIN_PASSWORD_LENGTH,
    )
