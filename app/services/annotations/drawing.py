"""Drawing without a browser: an operation on an annotation's pixels, computed by the mask engine.

What comes out is exact, and of the kind that went in: a mask stays an RLE, polygons stay polygons
(docs/decisions/0009-drawing-keeps-the-kind.md has the reasons). Where polygons are added to
polygons, or cut out of their inside, every vertex stays as it was drawn; otherwise the outline of
the resulting pixels is traced along their edges. A bare box counts as its rectangle.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy.orm import Session

from app import masks
from app.errors import Invalid
from app.formats.coco import rawjson
from app.models import Annotation, User
from app.services.annotations import annotations, shapes, view
from app.services.annotations.shapes import EMPTY, NOTHING, Json, Shape, Size

__all__ = ["Op", "draw_on", "plan", "read_shape", "shape_of"]

Op = Literal["add", "subtract", "intersect", "replace", "simplify", "to_mask", "to_polygons"]
_WITH_SHAPE = frozenset({"add", "subtract", "intersect", "replace"})
# A slanted border traced along pixel edges strays from its line by less than one pixel.
_DEFAULT_TOLERANCE = 1.0

_list = msgspec.json.Decoder(list[msgspec.Raw])


def draw_on(
    session: Session,
    *,
    annotation: Annotation,
    user: User,
    op: Op,
    shape: Mapping[str, Json] | None,
    tolerance: float | None,
    expected: annotations.Expected,
) -> Annotation:
    """Draw on an annotation; the change is a version like any other."""
    annotations.check_version(annotations.require_present(annotation), expected)
    size = annotations.image_size(session, image_id=annotation.image_id)
    shown = _shown(annotation)
    base = _base(shown, size)
    if (shape is not None) != (op in _WITH_SHAPE):
        raise Invalid(
            f"{op} needs a shape." if shape is None else f"{op} takes no shape.",
            code="shape_missing" if shape is None else "shape_unknown",
            loc=("body", "shape"),
        )
    drawn = None if shape is None else read_shape(shape, size)
    result = plan(base, op, drawn, tolerance, size)
    fields = {"segmentation": result.segmentation, "holes": result.holes}
    if result.pixels == base.pixels and op.startswith("to_"):
        # The same pixels in another form: what was known about them stays as it was written.
        fields |= {name: shown[name] for name in ("bbox", "area")}
    return annotations.change_annotation(
        session, annotation=annotation, user=user, fields=fields, expected=expected
    )


def shape_of(annotation: Annotation, size: Size) -> Shape:
    """What an annotation covers on an image of this size; a bare box is its rectangle."""
    return _base(_shown(annotation), size)


def _shown(annotation: Annotation) -> dict[str, Json]:
    return {name: Json(json.loads(text), text) for name, text in view.members(annotation).items()}


def _base(shown: Mapping[str, Json], size: Size) -> Shape:
    """What is drawn on: the segmentation, the rectangle of a bare box, or nothing."""
    segmentation, holes, box = shown["segmentation"], shown["holes"], shown["bbox"].value
    is_bare_box = segmentation.value is None and shown["keypoints"].value is None
    if is_bare_box and box[2] > 0 and box[3] > 0:
        segmentation = _rectangle(box)
    return shapes.draw(segmentation, holes, size)


def _rectangle(box: list[float]) -> Json:
    x, y, w, h = box
    return Json.of([[x, y, x + w, y, x + w, y + h, x, y + h]])


# Shapes from outside ---------------------------------------------------------------------------

_FORMS = (
    frozenset({"polygons"}),
    frozenset({"polygons", "holes"}),
    frozenset({"size", "counts"}),
    frozenset({"bbox"}),
    frozenset({"stroke", "radius"}),
    frozenset({"stroke", "radius", "square"}),
)


def read_shape(shape: Mapping[str, Json], size: Size) -> Shape:
    """What is drawn with: its segmentation is nothing where only pixels are known (a stroke)."""
    if frozenset(shape) not in _FORMS:
        raise Invalid(
            "A shape is polygons (with or without holes), an RLE, a bbox, or a stroke with its "
            "radius.",
            code="shape_invalid",
            loc=("body", "shape"),
        )
    values = {name: sent.value for name, sent in shape.items()}
    try:
        if "stroke" in values:
            pixels = masks.from_strokes(
                [values["stroke"]],
                [values["radius"]],
                list(size),
                square=_flag(values.get("square", False)),
            )
            return Shape(NOTHING, EMPTY, pixels)
        if "bbox" in values:
            masks.from_boxes([values["bbox"]], list(size))
            shapes.check_bbox(values["bbox"], alone=True, loc=("body", "shape", "bbox"))
            return shapes.draw(_rectangle(values["bbox"]), EMPTY, size)
        if "counts" in values:
            text = rawjson.join({name: sent.text for name, sent in shape.items()})
            segmentation = Json(values, text)
        else:
            segmentation = shape["polygons"]
        holes = shape.get("holes", EMPTY)
        pixels = masks.from_segmentations(
            [segmentation.value], list(size), [holes.value], max_crossings=shapes.MAX_CROSSINGS
        )
    except masks.MaskError as error:
        raise shapes.refused(error, "body", "shape", *error.path) from None
    return Shape(segmentation, EMPTY if holes.value is None else holes, pixels)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        loc = ("body", "shape", "square")
        raise Invalid("square is true or false.", code="shape_invalid", loc=loc)
    return value


# The operations --------------------------------------------------------------------------------


def plan(base: Shape, op: Op, drawn: Shape | None, tolerance: float | None, size: Size) -> Shape:
    """The annotation's next geometry; Invalid when nothing would be left of it."""
    if drawn is not None:
        result = _combined(base, op, drawn, tolerance or 0.0, size)
    elif base.segmentation.value is None:
        raise Invalid("The annotation has no segmentation.", code="segmentation_missing")
    elif op == "to_mask":
        result = base if not base.is_polygons else _as_rle(base.pixels)
    elif op == "to_polygons":
        result = base if base.is_polygons else _traced(base.pixels, tolerance or 0.0, size)
    else:
        result = _simplified(base, _DEFAULT_TOLERANCE if tolerance is None else tolerance, size)
    if result.area == 0:
        raise Invalid("Nothing would be left of the annotation.", code="empty_result")
    return result


def _combined(base: Shape, op: Op, drawn: Shape, tolerance: float, size: Size) -> Shape:
    """add, subtract, intersect and replace."""
    pixels = _pixels(base, op, drawn)
    if op == "replace":
        if drawn.segmentation.value is not None:
            return drawn
    elif pixels == base.pixels:
        return base
    if base.segmentation.value is None and drawn.segmentation.value is not None:
        return drawn
    if not base.is_polygons:
        return _as_rle(pixels)
    kept = _with_vertices_kept(base, op, drawn, size)
    return kept if kept is not None and kept.pixels == pixels else _traced(pixels, tolerance, size)


def _pixels(base: Shape, op: Op, drawn: Shape) -> masks.Masks:
    if base.segmentation.value is None and op in ("subtract", "intersect"):
        raise Invalid("The annotation has no segmentation.", code="segmentation_missing")
    if op == "replace":
        return drawn.pixels
    if op == "subtract":
        return masks.difference(base.pixels, drawn.pixels)
    if op == "intersect":
        return _common(base, drawn)
    return masks.merge(masks.concatenate([base.pixels, drawn.pixels]))


def _with_vertices_kept(base: Shape, op: Op, drawn: Shape, size: Size) -> Shape | None:
    """Polygons side by side, or the drawn ones as holes: right if it has the right pixels."""
    if op not in ("add", "subtract"):
        return None
    if not drawn.is_polygons:
        # The outline of what was painted must not run across the outline that is there.
        if op == "add" and masks.area(_common(base, drawn))[0]:
            return None
        drawn = _traced(drawn.pixels, 0.0, size)
    if op == "add":
        polygons = _appended(base.segmentation, drawn.segmentation)
        return shapes.draw(polygons, _appended(base.holes, drawn.holes), size)
    whole = shapes.draw(base.segmentation, EMPTY, size)
    if drawn.holes.value or masks.area(masks.difference(drawn.pixels, whole.pixels))[0]:
        return None
    return shapes.draw(base.segmentation, _appended(base.holes, drawn.segmentation), size)


def _common(a: Shape, b: Shape) -> masks.Masks:
    return masks.merge(masks.concatenate([a.pixels, b.pixels]), intersect=True)


def _appended(first: Json, second: Json) -> Json:
    """Two JSON lists one after the other, each member with its own text."""
    texts = [bytes(raw).decode() for sent in (first, second) for raw in _list.decode(sent.text)]
    return Json([*first.value, *second.value], f"[{','.join(texts)}]")


def _as_rle(pixels: masks.Masks) -> Shape:
    rle: dict[str, Any] = {**masks.to_dicts(pixels)[0]}
    return Shape(Json.of(rle), EMPTY, pixels)


def _traced(pixels: masks.Masks, tolerance: float, size: Size) -> Shape:
    shapes.check_traceable(pixels)
    outline = masks.to_polygons(pixels, holes="apart", tolerance=tolerance)[0]
    if not outline.polygons:
        return Shape(NOTHING, EMPTY, masks.background([list(size)]))
    return shapes.draw(Json.of(outline.polygons), Json.of(outline.holes), size)


def _simplified(base: Shape, tolerance: float, size: Size) -> Shape:
    if base.is_polygons:
        polygons = masks.simplify(base.segmentation.value, tolerance)
        holes = masks.simplify(base.holes.value, tolerance)
        return shapes.draw(_shorter(base.segmentation, polygons), _shorter(base.holes, holes), size)
    return _as_rle(_traced(base.pixels, tolerance, size).pixels)


def _shorter(before: Json, rings: list[list[float]]) -> Json:
    """The rings, or the present text where no point was dropped."""
    return before if shapes.same(before.value, rings) else Json.of(rings)
