"""Random panoptic files, edited at random: JSON and PNGs agree, and nothing else changes."""

import json
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.context import AppContext
from app.formats.coco import panoptic as engine
from app.models import Annotation, User
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from tests.build import make_dataset
from tests.build.coco import numbers_as_text
from tests.build.panoptic import ids_png, panoptic, panoptic_zip
from tests.masks.strategies import stacks
from tests.services.exporting import get_out, in_order
from tests.services.panoptic_case import get_zip, ids_and_segments, put_zip

_IDS = (0, 1, 255, 256, 65_536, 16_777_215)
_pictures = arrays.arrays(np.int64, (6, 8), elements=st.sampled_from(_IDS), fill=st.just(0))
_bitmaps = arrays.arrays(bool, (6, 8), elements=st.booleans())
_extras = st.dictionaries(
    st.sampled_from(["x", "ü", "score", "caption"]), st.integers() | st.text(max_size=3), max_size=2
)


def frame_of(ids: Any, draw: st.DrawFn) -> dict[str, Any]:
    """A record with the segments of this picture, their members in any order."""
    segments = []
    for key in draw(st.permutations(sorted(set(ids.ravel().tolist()) - {0}))):
        rows, columns = np.equal(ids, key).nonzero()
        left, top = int(columns.min()), int(rows.min())
        members = {
            "id": key,
            "category_id": draw(st.sampled_from([1, 2])),
            "area": len(rows),
            "bbox": [left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1],
            "iscrowd": draw(st.sampled_from([0, 1])),
            **draw(_extras),
        }
        segments.append({name: members[name] for name in draw(st.permutations(sorted(members)))})
    return {"image_id": 1, "segments_info": segments, "file_name": "a.png", **draw(_extras)}


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    ids = draw(_pictures)
    return panoptic(annotations=[frame_of(ids, draw)]), ids


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(), st.lists(st.tuples(st.integers(0, 9), st.none() | _bitmaps), max_size=4))
def test_files_and_edits(
    context: AppContext, session: Session, file: tuple[dict[str, Any], Any], edits: list[Any]
) -> None:
    content, ids = file
    dataset = make_dataset(session)
    report = put_zip(context, dataset, panoptic_zip(content, {"a.png": ids_png(ids)}))
    assert report["issue_counts"] == {}
    text = json.dumps(content)
    out = get_out(context, dataset, "panoptic")
    assert in_order(out["annotations"]) == in_order(numbers_as_text(text)["annotations"])
    present, before = ids_and_segments(get_zip(context, dataset))["a.png"]
    assert (present == ids).all()
    user = session.get_one(User, dataset.created_by)
    query = select(Annotation).where(
        Annotation.dataset_id == dataset.id, Annotation.deleted_at.is_(None)
    )
    expected, touched = ids.copy(), set()
    for place, bitmap in edits:
        session.expire_all()
        rows = session.scalars(query.order_by(Annotation.id)).all()
        if not rows:
            break
        one = rows[place % len(rows)]
        touched.add(one.coco_id)
        if bitmap is None:
            annotations.delete_annotation(session, annotation=one, user=user, expected=None)
        else:
            drawn = Json.of(masks.to_dicts(masks.encode(bitmap))[0])
            fields = {"segmentation": drawn}
            annotations.change_annotation(
                session, annotation=one, user=user, fields=fields, expected=None
            )
        session.commit()
    # Whatever happened, both say the same, which `ids_and_segments` checks.
    present, after = ids_and_segments(get_zip(context, dataset))["a.png"]
    for key, segment in after.items():
        if key not in touched and segment["area"] == before[key]["area"]:
            assert segment == before[key]
        kept = {"area", "bbox"} if key in before else set()
        assert {n: v for n, v in segment.items() if n not in kept} == {
            n: v for n, v in before[key].items() if n not in kept
        }
    if not touched:
        assert (present == expected).all()


@given(stacks(), st.data())
def test_what_is_seen(stack: Any, data: st.DataObject) -> None:
    """Each pixel belongs to the last mask that covers it."""
    order = data.draw(st.permutations(range(stack.shape[2])))
    expected = np.zeros_like(stack)
    for place in order:
        expected[stack[..., place]] = False
        expected[..., place] |= stack[..., place]
    seen = engine.seen(masks.encode(stack), order)
    assert seen == masks.encode(expected)


@given(st.lists(st.sampled_from([*_IDS, -1, 2.0, "7", None, 2**24, 7]), max_size=8))
def test_ids_are_colours_and_of_one_segment(wanted: list[Any]) -> None:
    chosen = engine.free_ids(wanted)
    assert len(set(chosen)) == len(chosen) == len(wanted)
    assert all(1 <= number <= engine.HIGHEST_ID for number in chosen)
    for place, number in enumerate(wanted):
        usable = isinstance(number, int | float) and 1 <= number <= engine.HIGHEST_ID
        if usable and number not in wanted[:place]:
            assert chosen[place] == number
    colors = engine.colors_of(chosen)
    assert engine.ids_of(colors[None]).tolist() == [chosen]
