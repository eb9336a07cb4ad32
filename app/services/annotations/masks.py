"""The pixels of one annotation, as an RLE or a picture."""

from sqlalchemy.orm import Session

from app import masks
from app.errors import NotFound, TooLarge
from app.models import Annotation
from app.services.annotations import annotations, drawing, mask_png

__all__ = ["mask_of", "png_of"]


def mask_of(session: Session, *, annotation: Annotation) -> masks.Masks:
    """Its mask, a batch of one: polygons without their holes, the RLE, or all of a bare box."""
    size = annotations.image_size(session, image_id=annotation.image_id)
    shape = drawing.shape_of(annotation, size)
    if shape.segmentation.value is None:
        raise NotFound("The annotation covers no pixels.", code="no_mask")
    return shape.pixels


def png_of(session: Session, *, annotation: Annotation, max_pixels: int) -> bytes:
    """Its mask as a PNG of the image's size: 0, and 255 where the annotation is."""
    mask = mask_of(session, annotation=annotation)
    height, width = mask.sizes[0].tolist()
    if height * width > max_pixels:
        raise TooLarge(f"The picture would have more than {max_pixels:,} pixels.")
    return mask_png.encode(masks.decode(mask)[0])
