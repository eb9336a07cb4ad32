"""Large pictures in tiles: what there is of them, and each tile."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel

from app.api import files, problems
from app.api.deps import ContextDep
from app.api.pictures import ShownDep, Version, source_of
from app.api.waiting import read_or_remake, wait_for
from app.errors import NotFound, Unavailable
from app.services.pictures import tiles
from app.services.pictures.decoding import Source
from app.services.pictures.tiles import Pyramid, Tiles

__all__ = ["router"]

router = APIRouter(tags=["images"], responses=problems.responses(400, 401, 403, 404, 422, 503))
_TYPES = ("image/jpeg", "image/png")


class LevelOut(BaseModel):
    """The size of a level in its own pixels, and how many tiles it has across and down."""

    width: int
    height: int
    columns: int
    rows: int


class TilesOut(BaseModel):
    """Which tiles a picture has.

    Level 0 is the picture in full, `width` x `height` pixels as shown; each further level has half
    as many pixels each way, rounded up. Tile (c, r) shows the `tile_size` pixels from
    c x `tile_size` on across, and from r x `tile_size` on down, with `overlap` more on each side
    that is not the edge of the picture. `version`, sent as `v` with a tile, lets browsers keep it.
    """

    version: str

    width: int
    height: int
    tile_size: int
    overlap: int
    levels: list[LevelOut]


def get_tiles(request: Request) -> Tiles:
    """The tiles of this process."""
    found: Tiles = request.app.state.tiles
    return found


TilesDep = Annotated[Tiles, Depends(get_tiles)]
Number = Annotated[int, Path(ge=0, le=2**31 - 1)]


def get_source(shown: ShownDep, context: ContextDep) -> Source:
    """The file of an image that is large enough for tiles."""
    source = source_of(shown)
    limit = context.settings.tiled_from_pixels
    if shown.image.width * shown.image.height <= limit:
        raise NotFound(
            f"Images of up to {limit:,} pixels have no tiles: ask for the picture.",
            code="not_tiled",
        )
    return source


SourceDep = Annotated[Source, Depends(get_source)]


async def _made(found: Tiles, source: Source, request: Request) -> Pyramid:
    """The tiles, from now on or from before."""
    known = await run_in_threadpool(found.find, source)
    if known is not None:
        return known
    gone = Unavailable("Nobody waits for the tiles any more.", code="tiles_unavailable")
    return await wait_for(request, found.make(source), leave=found.leave, gone=gone)


@router.get("/images/{image_id}/tiles", response_model=TilesOut)
async def index(
    source: SourceDep, found: TilesDep, request: Request, response: Response, v: Version = None
) -> TilesOut | Response:
    """The levels of a large picture; its tiles are made when this is asked for first."""
    known = files.not_modified(request, tiles.tag(source), forever=v is not None)
    if known is not None:
        return known
    pyramid = await _made(found, source, request)
    response.headers.update(files.headers(tiles.tag(source), forever=v is not None))
    return TilesOut(
        version=tiles.tag(source),
        width=pyramid.width,
        height=pyramid.height,
        tile_size=tiles.TILE_PIXELS,
        overlap=tiles.OVERLAP_PIXELS,
        levels=[LevelOut(**vars(level)) for level in pyramid.levels],
    )


@router.get(
    "/images/{image_id}/tiles/{level}/{column}/{row}",
    response_class=Response,
    responses=files.binary(*_TYPES),
)
async def tile(
    source: SourceDep,
    found: TilesDep,
    request: Request,
    level: Number,
    column: Number,
    row: Number,
    v: Version = None,
) -> Response:
    """One tile: a JPEG, or a PNG where something is transparent or the file has a palette."""
    tag, forever = f"{tiles.tag(source)}-{level}-{column}-{row}", v is not None
    pyramid = await _made(found, source, request)
    name = pyramid.name(level, column, row)
    known = files.not_modified(request, tag, forever=forever)
    if known is not None:
        return known

    data = await read_or_remake(
        pyramid,
        lambda tiles_there: found.read(source, tiles_there, name),
        make=lambda: _made(found, source, request),
        forget=lambda: found.forget(source),
        lost=Unavailable("The tile cannot be kept.", code="tiles_unavailable"),
    )
    return files.send_bytes(data, media_type=pyramid.media_type, tag=tag, forever=forever)
