"""What an edit makes of an annotation: a plan without a database.

`created` makes the content of a new annotation, `edited` that of the next version. Only members
that really change are written, so the text of everything else survives. What the server derives
follows what was edited:

============================  =====================================================================
segmentation or holes change  area := pixels, bbox := extent, unless they are named themselves
only a box is there           area := w x h when the box changes
keypoints change              num_keypoints := how many have v > 0; the box follows if it was theirs
============================  =====================================================================

A derived member that is named as null is computed anew. Naming a member with the value that it
has changes nothing, not even the way in which a number is written.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import Invalid
from app.formats.coco import rawjson, variants
from app.models import Category
from app.services.annotations import attributes, shapes, view
from app.services.annotations.shapes import EMPTY, NOTHING, Json, Shape, Size

__all__ = ["Edit", "Original", "State", "created", "edited", "state_of", "task_of"]

# The order in which a new record is written.
_ORDER = (
    "id",
    "image_id",
    "category_id",
    "segmentation",
    "area",
    "bbox",
    "iscrowd",
    "keypoints",
    "num_keypoints",
    "attributes",
    "score",
    "caption",
)

_GEOMETRY = ("segmentation", "bbox", "keypoints")
_DERIVED = frozenset({"bbox", "area"})


@dataclass(frozen=True)
class State:
    """The columns that an edit may change."""

    record: str
    shape: str | None = None
    category_id: int | None = None
    area: float = 0.0
    bbox: list[float] = field(default_factory=lambda: [0.0] * 4)
    iscrowd: bool = False
    variants: str | None = None


def state_of(content: view.Content, category_id: int | None) -> State:
    """The state of a row, present or superseded."""
    return State(
        content.record,
        content.shape,
        category_id,
        content.area,
        content.bbox,
        content.iscrowd,
        content.variants,
    )


@dataclass(frozen=True)
class Edit:
    """What is asked for: members by the names of the API, the image's size and the category.

    `category` is the one that the annotation will have, `old_category` the one that it has.
    """

    fields: Mapping[str, Json]
    size: Size
    category: Category | None = None
    old_category: Category | None = None


def task_of(record: str) -> str:
    """The task of an annotation that no file brought, by what its record has."""
    parts = rawjson.members(record)
    if _has_geometry(parts):
        return "instances"
    return "captions" if "caption" in parts else "labels"


def _has_geometry(parts: Mapping[str, str]) -> bool:
    return any(parts.get(name, "null") not in ("null", "[]") for name in _GEOMETRY)


@dataclass(frozen=True)
class Original:
    """What a copy is made of: the content and the size of the image that it is on."""

    state: State
    size: Size


def created(
    edit: Edit, *, image_coco_id: str, is_label: bool = False, original: Original | None = None
) -> State:
    """The content of a new annotation, whose record still has the id 0.

    Only a label, which is of the whole image, has nothing but a category. A copy of an `original`
    has the members of its record that no client sees, too, after its own.
    """
    before = State(record=f'{{"id":0,"image_id":{image_coco_id}}}')
    named = _patched(before, _normalised(edit.fields))
    if original is not None:
        named = _as_copied(named, original, edit.size)
    wanted = {
        name: value
        for name, value in named.items()
        if value.value is not None and name != "num_keypoints"
    }
    work = _Work(before, edit, _shown(before) | wanted, wanted, set())
    state = work.run(named.get("num_keypoints", NOTHING))
    parts = work.parts
    if "bbox" in parts:
        parts.setdefault("segmentation", "[]")
        parts.setdefault("iscrowd", "0")
    if is_label:
        work.refuse_geometry()
    else:
        work.require_geometry()
    work.require_category()
    ordered = {name: parts[name] for name in _ORDER if name in parts}
    if original is not None:
        ordered |= view.other_members(original.state.record)
    return State(rawjson.join(ordered), *_columns(state))


def _as_copied(named: dict[str, Json], original: Original, size: Size) -> dict[str, Json]:
    """What is named, in the text of the original where it says the same.

    Where the geometry is the original's, on an image of the same size, so are box and area: they
    may say something else than the pixels do.
    """
    shown = _shown(original.state)
    same = {n for n, v in named.items() if n in shown and shapes.same(v.value, shown[n].value)}
    named = {name: shown[name] if name in same else value for name, value in named.items()}
    has_any = any(named.get(name, NOTHING).value for name in _GEOMETRY)
    is_same = all(
        name in same or (name not in named and (name == "bbox" or not shown[name].value))
        for name in (*_GEOMETRY, "holes")
    )
    box, area = shown["bbox"].value, shown["area"].value
    if has_any and is_same and size == original.size and min(*box[2:], area) >= 0:
        named = {"bbox": shown["bbox"], "area": shown["area"]} | named
    return named


def edited(before: State, edit: Edit) -> State:
    """The next content; `before` itself when nothing would change."""
    named = _patched(before, _normalised(edit.fields))
    expected_keypoints = named.pop("num_keypoints", NOTHING)
    derive = {name for name in _DERIVED & named.keys() if named[name].value is None}
    given = {name: value for name, value in named.items() if name not in derive}
    shown = _shown(before)
    changed = {n: v for n, v in given.items() if not shapes.same(v.value, shown[n].value)}
    # What is named with its present value keeps its present text, and is not derived either.
    kept = {name: shown[name] for name in given.keys() - changed.keys()}
    work = _Work(before, edit, shown | given | kept, changed, derive, kept=set(kept))
    if not changed and not derive:
        work.check_number(expected_keypoints)
        return before
    state = work.run(expected_keypoints)
    # Files have annotations without either; an edit of something else does not bring it up.
    if {"segmentation", "keypoints", "caption"} & changed.keys():
        work.require_geometry()
    if {"category_id", "caption"} & changed.keys() or work.gains_geometry:
        work.require_category()
    return before if _is_same(before, state) else state


def _is_same(before: State, after: State) -> bool:
    unchanged = rawjson.members(before.record) == rawjson.members(after.record)
    return unchanged and _columns(before) == _columns(after)


def _columns(state: State) -> tuple[str | None, int | None, float, list[float], bool]:
    return state.shape, state.category_id, state.area, state.bbox, state.iscrowd


def _shown(state: State) -> dict[str, Json]:
    """The members as a client sees them before the edit."""
    shown = {name: Json(json.loads(text), text) for name, text in view.members(state).items()}
    return shown | {"category_id": Json.of(state.category_id)}


def _normalised(fields: Mapping[str, Json]) -> dict[str, Json]:
    """One spelling for each absence: COCO's ``[]`` is no segmentation, null no holes, and so on."""
    named = dict(fields)
    if "segmentation" in named and named["segmentation"].value == []:
        named["segmentation"] = NOTHING
    if "holes" in named and named["holes"].value is None:
        named["holes"] = EMPTY
    if "attributes" in named and named["attributes"].value is None:
        named["attributes"] = Json({}, "{}")
    if "iscrowd" in named:
        named["iscrowd"] = Json.of(int(bool(named["iscrowd"].value)))
    return named


def _patched(before: State, named: dict[str, Json]) -> dict[str, Json]:
    """With `attributes_patch` merged into the attributes, as RFC 7396 says, and nulls set."""
    patch = named.pop("attributes_patch", NOTHING)
    nulls = named.pop("attributes_null", NOTHING).value or []
    if not patch.value and not nulls:
        return named
    merged = rawjson.members((named.get("attributes") or _shown(before)["attributes"]).text)
    for name, text in rawjson.members(patch.text).items() if patch.value else ():
        if patch.value[name] is None:
            merged.pop(name, None)
        else:
            merged[name] = text
    merged |= dict.fromkeys(nulls, "null")
    text = rawjson.join(merged)
    return named | {"attributes": Json(json.loads(text), text)}


class _Work:
    """One edit under way: the record's members, the columns, and what was named."""

    def __init__(
        self,
        before: State,
        edit: Edit,
        values: Mapping[str, Json],
        changed: Mapping[str, Json],
        derive: set[str],
        *,
        kept: set[str] | None = None,
    ) -> None:
        self.before, self.edit = before, edit
        self.values, self.changed, self.derive = values, changed, derive
        self.kept = kept or set()
        self.parts = rawjson.members(before.record)
        self.shape_text, self.category_id = before.shape, before.category_id
        self.area, self.bbox, self.iscrowd = before.area, before.bbox, before.iscrowd
        self._drawn: Shape | None = None

    def run(self, expected_keypoints: Json) -> State:
        self._category()
        self._segmentation()
        self._keypoints()
        self.check_number(expected_keypoints)
        self._box()
        self._area()
        self._plain()
        record = rawjson.join(self.parts)
        return State(
            record,
            self.shape_text,
            self.category_id,
            self.area,
            self.bbox,
            self.iscrowd,
            variants.follow(self.before.variants, self.before.record, record),
        )

    # What there will be ----------------------------------------------------------------------

    @property
    def has_segmentation(self) -> bool:
        return self.values["segmentation"].value is not None

    @property
    def keypoints(self) -> list[float]:
        value: list[float] | None = self.values["keypoints"].value
        return value or []

    @property
    def geometry_changes(self) -> bool:
        return bool({"segmentation", "holes"} & self.changed.keys())

    @property
    def is_bare_box(self) -> bool:
        has_more = self.has_segmentation or self.keypoints or self.values["caption"].value
        return not has_more

    @property
    def drawn(self) -> Shape:
        """The new geometry, checked and drawn once."""
        if self._drawn is None:
            segmentation, holes = self.values["segmentation"], self.values["holes"]
            if "holes" not in self.edit.fields and not isinstance(segmentation.value, list):
                holes = EMPTY
            self._drawn = shapes.draw(segmentation, holes, self.edit.size)
        return self._drawn

    # The steps -------------------------------------------------------------------------------

    def _category(self) -> None:
        if "category_id" not in self.changed:
            return
        category = self.edit.category
        if category is None:
            self.parts.pop("category_id", None)
            self.category_id = None
            return
        names = len(category.keypoints)
        old = self.edit.old_category
        if (
            "keypoints" not in self.changed
            and shapes.labelled(self.keypoints)
            and len(self.keypoints) != 3 * names
            and len(self.keypoints) == 3 * len(old.keypoints if old else [])
        ):
            raise Invalid(
                f"The annotation's keypoints do not fit {category.name}: "
                "name keypoints, too (null drops them).",
                code="keypoints_length",
                loc=("body", "category_id"),
            )
        coco_id = rawjson.members(category.record).get("id")
        self.parts["category_id"] = coco_id or rawjson.dumps(category.coco_id)
        self.category_id = category.id

    def _segmentation(self) -> None:
        if self.geometry_changes:
            self.parts["segmentation"] = self.drawn.record_text
            self.shape_text = self.drawn.shape_text

    def _keypoints(self) -> None:
        if "keypoints" not in self.changed:
            return
        if self.values["keypoints"].value is None:
            self.parts.pop("keypoints", None)
            self.parts.pop("num_keypoints", None)
            return
        category = self.edit.category
        shapes.check_keypoints(self.keypoints, category.keypoints if category else None)
        self.parts["keypoints"] = self.values["keypoints"].text
        self.parts["num_keypoints"] = str(shapes.count_labelled(self.keypoints))

    def check_number(self, expected: Json) -> None:
        """A given num_keypoints must be the true one: it is never anybody's opinion."""
        if expected.value is None:
            return
        count = shapes.count_labelled(self.keypoints)
        if expected.value != count:
            raise Invalid(
                f"The keypoints have {count} with v > 0.",
                code="num_keypoints_wrong",
                loc=("body", "num_keypoints"),
            )

    def _box(self) -> None:
        if "bbox" in self.changed:
            value = self.values["bbox"]
            shapes.check_bbox(value.value, alone=self.is_bare_box)
            self.parts["bbox"], self.bbox = value.text, [float(n) for n in value.value]
        elif self._box_follows():
            self._set("bbox", self._computed_box())
        elif self.geometry_changes and "bbox" not in self.parts:
            # The segmentation goes; its box, which only the columns knew, is what stays.
            self._set("bbox", self.bbox)

    def _box_follows(self) -> bool:
        if "bbox" in self.derive:
            return True
        if "bbox" in self.kept:
            return False
        if self.has_segmentation:
            return self.geometry_changes
        if "keypoints" not in self.changed or not shapes.labelled(self.keypoints):
            return False
        return "bbox" not in self.parts or self._box_was_of_keypoints()

    def _box_was_of_keypoints(self) -> bool:
        shown = view.members(self.before)
        points = shapes.labelled(json.loads(shown["keypoints"]) or [])
        return bool(points) and shapes.same(shapes.extent(points), json.loads(shown["bbox"]))

    def _computed_box(self) -> list[float]:
        if self.has_segmentation:
            return self.drawn.bbox
        points = shapes.labelled(self.keypoints)
        if not points:
            raise _nothing("The box can be computed from a segmentation or from keypoints only.")
        return shapes.extent(points)

    def _area(self) -> None:
        if "area" in self.changed:
            value = self.values["area"]
            self.parts["area"], self.area = value.text, float(value.value)
        elif "area" not in self.kept and self._area_follows():
            width, height = self.bbox[2:]
            self._set("area", self.drawn.area if self.has_segmentation else width * height)

    def _area_follows(self) -> bool:
        if "area" in self.derive or self.geometry_changes:
            return True
        return not self.has_segmentation and self.bbox != self.before.bbox

    def _set(self, name: str, value: Any) -> None:
        """Set a derived member; the text of the present one stays if it says the same."""
        if name not in self.parts or not shapes.same(json.loads(self.parts[name]), value):
            self.parts[name] = rawjson.dumps(value)
        if name == "bbox":
            self.bbox = [float(n) for n in value]
        else:
            self.area = float(value)

    def _plain(self) -> None:
        if "iscrowd" in self.changed:
            self.parts["iscrowd"] = self.values["iscrowd"].text
            self.iscrowd = bool(self.values["iscrowd"].value)
        if "attributes" in self.changed:
            attributes.check(self.values["attributes"])
        for name in ("attributes", "score", "caption"):
            if name not in self.changed:
                continue
            if self.values[name].value is None:
                self.parts.pop(name, None)
            elif name == "attributes":
                self.parts[name] = attributes.keeping_text(self.parts.get(name), self.values[name])
            else:
                self.parts[name] = self.values[name].text

    def require_geometry(self) -> None:
        """Something must be there to see or to read; a bare box must have an extent."""
        if not (self.has_segmentation or "bbox" in self.parts or self.values["caption"].value):
            raise _nothing("Give a segmentation, a bbox, labelled keypoints or a caption.")
        if self.is_bare_box and (self.geometry_changes or "keypoints" in self.changed):
            shapes.check_bbox(self.bbox, alone=True)

    def refuse_geometry(self) -> None:
        """A label says that something is in the image, and not where."""
        if task_of(rawjson.join(self.parts)) != "labels":
            raise Invalid(
                "A label has a category and nothing to draw or to read.",
                code="label_expected",
                loc=("body", "task"),
            )

    @property
    def gains_geometry(self) -> bool:
        had = rawjson.members(self.before.record)
        return _has_geometry(self.parts) and not _has_geometry(had)

    def require_category(self) -> None:
        """Only a caption has none. One that a file brought with a shape keeps both as they are."""
        brought = "category_id" not in self.changed and not self.gains_geometry
        is_caption = self.values["caption"].value is not None and (
            brought or not _has_geometry(self.parts)
        )
        if self.category_id is None and not is_caption:
            raise Invalid(
                "An annotation that is no caption has a category.",
                code="category_missing",
                loc=("body", "category_id"),
            )


def _nothing(detail: str) -> Invalid:
    return Invalid(detail, code="geometry_missing", loc=("body",))
