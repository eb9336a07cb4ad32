"""All pages, and what they need of the application.

=============================  ================================================================
``/``                          datasets (app/web/datasets.py)
``/datasets/{id}``, …          its images (app/web/images.py) and the other tabs
``/images/{id}``               the editor's shell; the rest of it is built from ``frontend/``
``/jobs``, ``/jobs/{id}``      long work and its reports (app/web/jobs.py)
``/login``, ``/account``, …    people (app/web/users.py)
``/docs``                      the API reference (app/web/reference.py)
``/static/…``                  the built front end (app/web/assets.py)
=============================  ================================================================

A page asks the services for its rows, as the API does, and changes nothing itself: its scripts
(``frontend/src/pages``) call the API. Some routes answer a part of a page, for lists that go on.
"""

from fastapi import APIRouter, FastAPI

from app.web import (
    assets,
    datasets,
    images,
    jobs,
    predictions,
    problems,
    reference,
    render,
    users,
)

__all__ = ["install", "router"]

router = APIRouter(include_in_schema=False)
for subject in (datasets, predictions, images, jobs, users, reference):
    router.include_router(subject.router)


def install(app: FastAPI) -> None:
    """Add the pages, the front end's files and pages of errors; after the API's own."""
    app.state.renderer = render.Renderer(assets.Assets())
    app.include_router(router)
    app.mount(assets.STATIC_PATH, assets.static_files(), name="static")
    problems.install(app)
