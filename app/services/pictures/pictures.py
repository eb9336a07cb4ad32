"""Pictures made from an image's file: thumbnails, and overlays of its annotations.

Thumbnails have a few sizes only, and are kept beside the file in the storage: they are made once
and vanish together with it. Overlays are made anew for each state of the annotations; their tag
tells a browser whether the one that it has is still right.

Of large images (`app.services.pictures.large`) a child process makes the largest thumbnail and the
whole picture; here they are found, and smaller thumbnails made.

Most files are what a browser shows, upright and all. `needs_converting` finds the others: a TIFF,
and a file whose EXIF orientation is not the one that its annotations go by.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image as Pillow
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.models import Category, Image
from app.services.files.storage import Storage, blob_key, cache_key
from app.services.pictures import overlays, pixels
from app.services.pictures.decoding import Source

__all__ = [
    "SIZES",
    "OverlayPlan",
    "blob_of",
    "converted_key",
    "find_thumbnail",
    "is_progressive",
    "largest_thumbnail_key",
    "make_thumbnail",
    "needs_converting",
    "overlay",
    "overlay_tag",
    "plan_overlay",
    "step",
    "thumbnail_tag",
]

SIZES = (64, 128, 256, 512, 1024, 2048)
# What stands before the pixels of a JPEG: with a preview and a profile, some hundred kilobytes.
_HEADER_BYTES = 1_000_000


def step(size: int) -> int:
    """The thumbnail size that is used for a wanted one: the next larger, or the largest."""
    return next((known for known in SIZES if known >= size), SIZES[-1])


def blob_of(image: Image) -> str:
    """The hash of the image's file; NotFound while it has no pixels."""
    if image.blob_sha256 is None:
        raise NotFound("The pixels of this image were not uploaded yet.", code="no_pixels")
    return image.blob_sha256


def thumbnail_tag(image: Image, size: int) -> str:
    return f"{blob_of(image)[:32]}-{image.orientation}-{size}"


def _thumbnail_key(source: Source, size: int) -> str:
    return cache_key(source.sha256, f"thumbnail-{size}-{source.orientation}")


def largest_thumbnail_key(source: Source) -> str:
    return _thumbnail_key(source, SIZES[-1])


def find_thumbnail(storage: Storage, source: Source, *, size: int) -> bytes | None:
    """A thumbnail of one of the `SIZES` from the cache."""
    try:
        return b"".join(storage.chunks(_thumbnail_key(source, size)))
    except NotFound:
        return None


def make_thumbnail(storage: Storage, source: Source, *, size: int, is_large: bool) -> bytes:
    """A JPEG at most `size` pixels wide and high.

    That of a large image is made from its largest one, which has to be there.
    """
    if is_large and size == SIZES[-1]:
        return b"".join(storage.chunks(largest_thumbnail_key(source)))
    larger = largest_thumbnail_key(source) if is_large else blob_key(source.sha256)
    orientation = 1 if is_large else source.orientation
    with storage.open(larger) as file:
        data = pixels.jpeg(pixels.shown(file, box=size, orientation=orientation))
    storage.put_bytes(_thumbnail_key(source, size), data)
    return data


def needs_converting(storage: Storage, *, image: Image, media_type: str) -> bool:
    """Whether a browser would show the file otherwise than this image is meant."""
    if media_type == "image/tiff":
        return True
    if image.record is None or image.orientation != 1:
        # Uploaded images are shown as EXIF says, and so are records whose size agrees with it.
        return False
    return _file_orientation(storage, blob_of(image)) != 1


def _file_orientation(storage: Storage, sha256: str) -> int:
    """What the file itself says."""

    def look() -> int:
        with storage.open(blob_key(sha256)) as file:
            return pixels.read_header(file).orientation

    return _noted(storage, sha256, "orientation", look)


def is_progressive(storage: Storage, sha256: str) -> bool:
    """Whether the JPEG is progressive; so is one that only a look at the whole of it could tell."""

    def look() -> int:
        head = b"".join(storage.chunks(blob_key(sha256), 0, _HEADER_BYTES))
        try:
            return int(pixels.is_progressive(BytesIO(head)))
        except Invalid:
            return 1

    return bool(_noted(storage, sha256, "progressive", look))


def _noted(storage: Storage, sha256: str, name: str, look: Callable[[], int]) -> int:
    """What a file says; noted beside it, for looking into it may mean fetching it."""
    key = cache_key(sha256, name)
    try:
        return int(b"".join(storage.chunks(key)))
    except NotFound:
        pass
    found = look()
    storage.put_bytes(key, str(found).encode())
    return found


def converted_key(source: Source) -> str:
    """The place of the whole picture as PNG."""
    return cache_key(source.sha256, f"picture-{source.orientation}")


@dataclass(frozen=True)
class OverlayPlan:
    """Everything that an overlay needs, so that it can be drawn without the database."""

    width: int
    height: int
    drawn: list[overlays.Drawn]


def overlay_tag(session: Session, *, image: Image, size: int, on_picture: bool) -> str:
    """Changes with the annotations, the pixels, and the colours and skeletons of categories."""
    looks = session.execute(
        select(Category.id, Category.color, Category.skeleton)
        .where(Category.dataset_id == image.dataset_id)
        .order_by(Category.id)
    ).all()
    state = (image.id, image.revision, image.blob_sha256, image.orientation, size, on_picture)
    text = repr((state, [tuple(look) for look in looks]))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plan_overlay(session: Session, *, image: Image) -> OverlayPlan:
    return OverlayPlan(
        image.width,
        image.height,
        overlays.load(session, image_id=image.id, dataset_id=image.dataset_id),
    )


def overlay(plan: OverlayPlan, *, size: int, on_picture: bool, picture: bytes | None) -> bytes:
    """The annotations on the picture as a JPEG, or on nothing as a transparent PNG.

    `picture` is the thumbnail of that size. An image without pixels has a neutral ground instead.
    """
    ground = _ground(plan, size, picture) if on_picture else None
    fitting = ground.size if ground else _fit(plan.width, plan.height, size)
    layer = overlays.draw(plan.drawn, image_size=(plan.width, plan.height), size=fitting)
    if ground is None:
        return pixels.png(layer)
    ground.paste(layer, mask=layer.getchannel("A"))
    return pixels.jpeg(ground)


def _ground(plan: OverlayPlan, size: int, data: bytes | None) -> Pillow.Image:
    if data is None:
        return Pillow.new("RGB", _fit(plan.width, plan.height, size), overlays.GROUND)
    with Pillow.open(BytesIO(data)) as picture:
        picture.load()
        return picture.convert("RGB")


def _fit(width: int, height: int, size: int) -> tuple[int, int]:
    scale = min(1.0, size / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
