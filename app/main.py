"""The wiring: `create_app` is the only place where the parts meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

from fastapi import APIRouter, FastAPI

from app import __version__
from app.api import (
    annotation_lists,
    annotation_masks,
    annotations,
    bodies,
    categories,
    cleaning,
    compression,
    datasets,
    exports,
    health,
    images,
    imports,
    jobs,
    live,
    mask_imports,
    masks,
    members,
    middleware,
    openapi,
    pictures,
    predictions,
    preferences,
    problems,
    sessions,
    statistics,
    tiles,
    tokens,
    uploads,
    users,
    visits,
)
from app.api.long_bodies import LongBodies
from app.config import Settings
from app.context import AppContext, make_context
from app.services.live.hub import LiveHub
from app.services.pictures.cache import Cache
from app.services.pictures.large import LargePictures
from app.services.pictures.tiles import Tiles
from app.web import pages

__all__ = ["create_app"]

# Mounted under /api, in the order in which the API's description lists them.
ROUTERS: tuple[APIRouter, ...] = (
    sessions.router,
    tokens.router,
    users.router,
    preferences.router,
    datasets.router,
    members.router,
    categories.router,
    statistics.router,
    images.router,
    uploads.router,
    pictures.router,
    visits.router,
    tiles.router,
    annotations.router,
    annotation_lists.router,
    annotation_masks.router,
    predictions.router,
    live.router,
    masks.router,
    imports.router,
    mask_imports.router,
    exports.router,
    jobs.router,
)


def create_app(
    settings: Settings,
    context: AppContext | None = None,
    *,
    long_bodies: LongBodies | None = None,
) -> FastAPI:
    """The web application; with a `context`, on parts that already run.

    `long_bodies` answers requests with such bodies; without it the application does so itself.
    """
    parts = context or make_context(settings)
    hub = LiveHub(str(parts.settings.database_url))
    memory_mb = settings.decoder_memory_mb
    cache = Cache(parts.sessions, parts.storage, most_mb=settings.cache_mb)
    made = Tiles(parts.storage, cache, memory_mb=memory_mb)
    large = LargePictures(cache, memory_mb=memory_mb)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Files that a killed process left behind, and a limit that is lower than it was; nobody has
        # to wait for that.
        Thread(target=cleaning.remove_all_unused, args=(parts,), daemon=True).start()
        Thread(target=cache.make_room, daemon=True).start()
        yield
        hub.close()
        made.close()
        large.close()
        if long_bodies is not None:
            long_bodies.close()
        if context is None:
            parts.close()

    app = FastAPI(
        title="Maskwright",
        version=__version__,
        summary="Annotate images in the COCO format.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = parts
    app.state.live = hub
    app.state.tiles = made
    app.state.large_pictures = large
    problems.install(app)
    app.add_middleware(compression.CompressJson)
    app.add_middleware(bodies.BodyLimit, context=parts, long_bodies=long_bodies)
    app.add_middleware(middleware.SafeHeaders)
    app.add_middleware(middleware.HeadAsGet)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix="/api")
    openapi.install(app)
    pages.install(app)
    return app
