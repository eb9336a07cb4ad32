"""Exports: what went in comes out, and filters, numbering and snapshots do what they say."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import Invalid
from app.models import Annotation, Category, Dataset, Image
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.exports.exports import ExportOptions, export_file, file_stem, snapshot, write_to
from app.services.images.images import ImageFilter
from app.services.imports.imports import import_file
from tests.build import make_annotation, make_category, make_dataset, make_image, make_user
from tests.build.coco import annotation, coco, numbers_as_text, to_bytes

COMMITTED = Path(__file__).parents[2] / "data" / "coco" / "instances.json"


def put_in(context: AppContext, dataset: Dataset, file: bytes) -> dict[str, Any]:
    with context.sessions.begin() as session:
        return import_file(session, dataset_id=dataset.id, user_id=None, file=io.BytesIO(file))


def get_out(context: AppContext, dataset: Dataset, **options: Any) -> bytes:
    with snapshot(context.sessions) as session:
        pieces = export_file(session, dataset_id=dataset.id, options=ExportOptions(**options))
        return b"".join(pieces)


Export = Callable[..., dict[str, Any]]


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def exported(context: AppContext, session: Session, dataset: Dataset) -> Export:
    """The exported file as a JSON value."""

    def run(**options: Any) -> dict[str, Any]:
        session.commit()
        value: dict[str, Any] = json.loads(get_out(context, dataset, **options))
        return value

    return run


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools'
def test_a_real_file_comes_out_as_it_went_in(
    context: AppContext, dataset: Dataset, tmp_path: Path
) -> None:
    """And pycocotools reads it as it reads the original."""
    text = COMMITTED.read_bytes()
    result = put_in(context, dataset, text)
    assert result["issue_counts"] == {}
    out = get_out(context, dataset)
    assert numbers_as_text(out) == numbers_as_text(text)
    assert list(json.loads(out)) == list(json.loads(text))

    copy = tmp_path / "copy.json"
    copy.write_bytes(out)
    ours, theirs = COCO(str(copy)), COCO(str(COMMITTED))
    assert ours.getAnnIds() == theirs.getAnnIds()
    for key in ours.getAnnIds()[:50]:
        ours_mask, theirs_mask = (c.annToMask(c.loadAnns(key)[0]) for c in (ours, theirs))
        assert (ours_mask == theirs_mask).all()


# Random files. ------------------------------------------------------------------------------

_extras: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(max_size=5).map(lambda name: f"x{name}"),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    ),
    max_size=2,
)
_storable = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=9
)
_ids = st.integers(-(2**70), 2**70) | _storable | st.floats(-1e9, 1e9) | st.booleans()
_sides = st.integers(1, 20) | st.integers(1, 20).map(float)
_coordinates = st.floats(-5, 25) | st.integers(-5, 25)
_polygons = st.lists(
    st.lists(_coordinates, min_size=6, max_size=10).filter(lambda ring: len(ring) % 2 == 0),
    max_size=2,
)


@st.composite
def _files(draw: st.DrawFn) -> dict[str, Any]:
    """A COCO file that is accepted as a whole, optional members present or absent."""
    image_ids = draw(st.lists(_ids, max_size=3, unique_by=repr))
    category_ids = draw(st.lists(_ids, max_size=3, unique_by=repr))

    def some(members: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
        return {key: draw(values) for key, values in members.items() if draw(st.booleans())}

    images: list[dict[str, Any]] = [
        {"id": key, "width": draw(_sides), "height": draw(_sides), "file_name": f"{place}.jpg"}
        | draw(_extras)
        for place, key in enumerate(image_ids)
    ]
    categories: list[dict[str, Any]] = [
        {"id": key, "name": draw(st.text(max_size=9))} | draw(_extras) for key in category_ids
    ]
    annotations = []
    for key in draw(st.lists(_ids, max_size=4)) if images and categories else []:
        record = {
            "id": key,
            "image_id": draw(st.sampled_from(image_ids)),
            "category_id": draw(st.sampled_from(category_ids)),
            "bbox": [draw(_coordinates) for _ in range(4)],
        }
        optional = {"segmentation": _polygons, "area": _sides, "iscrowd": st.sampled_from([0, 1])}
        annotations.append(record | some(optional) | draw(_extras))
    lists = {"images": images, "categories": categories, "annotations": annotations}
    members = {
        **some({"info": _extras, "licenses": st.just([{"id": 1}])}),
        **draw(_extras),
        **lists,
    }
    return {key: members[key] for key in draw(st.permutations(list(members)))}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(file=_files(), ascii_only=st.booleans())
def test_random_files_come_out_as_they_went_in(
    context: AppContext, session: Session, file: dict[str, Any], ascii_only: bool
) -> None:
    dataset = make_dataset(session)
    text = json.dumps(file, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    result = put_in(context, dataset, text)
    assert result["annotations"]["rejected"] == 0
    # A file without annotations may leave out info and licenses; an export never does.
    wanted = {"info": {}, "licenses": []} | numbers_as_text(text)
    assert numbers_as_text(get_out(context, dataset)) == wanted
    again = put_in(context, dataset, text)
    assert [again[kind]["created"] for kind in ("images", "categories", "annotations")] == [0, 0, 0]
    assert numbers_as_text(get_out(context, dataset)) == wanted


# What is made or changed here. ------------------------------------------------------------------


def test_an_empty_dataset(exported: Export) -> None:
    assert exported() == {
        "info": {},
        "licenses": [],
        "images": [],
        "annotations": [],
        "categories": [],
    }


def test_what_was_made_here(exported: Export, session: Session, dataset: Dataset) -> None:
    image = make_image(session, dataset=dataset, file_name="ü.jpg")
    category = make_category(session, dataset=dataset, name="cat", supercategory="animal")
    drawn = make_annotation(session, image=image, category=category)
    file = exported()
    assert file["images"] == [{"id": 1, "file_name": "ü.jpg", "width": 640, "height": 480}]
    assert file["categories"] == [{"supercategory": "animal", "id": 1, "name": "cat"}]
    assert file["annotations"] == [json.loads(drawn.record)]


def test_an_edit_changes_only_its_members(
    exported: Export, context: AppContext, session: Session, dataset: Dataset
) -> None:
    text = to_bytes(coco(annotation(area="@", z=1))).replace(b'"@"', b"7.2500")
    put_in(context, dataset, text)
    found = session.scalars(select(Annotation)).one()
    annotations.change_annotation(
        session,
        annotation=found,
        user=make_user(session),
        fields={"iscrowd": Json.of(1)},
        expected=None,
    )
    session.commit()
    wanted = numbers_as_text(text)
    wanted["annotations"][0]["iscrowd"] = ("number", "1")
    wanted["licenses"] = []
    assert numbers_as_text(get_out(context, dataset)) == wanted
    annotations.delete_annotation(session, annotation=found, user=make_user(session), expected=None)
    assert exported()["annotations"] == []


# Options. ---------------------------------------------------------------------------------------


@pytest.fixture
def three(context: AppContext, session: Session, dataset: Dataset) -> list[Image]:
    """Images in subsets and with statuses; cat on the first, cat and dog on the second."""
    images = [
        {"id": 10 * place, "file_name": f"{place}.jpg", "width": 8, "height": 6}
        for place in (1, 2, 3)
    ]
    file = coco(
        annotation(id=5, image_id=10, category_id=2),
        annotation(id=5, image_id=20, category_id=2),
        annotation(id=90, image_id=20, category_id=7),
        images=images,
        categories=[{"id": 2, "name": "cat"}, {"id": 7, "name": "dog"}],
    )
    put_in(context, dataset, to_bytes(file))
    found = list(session.scalars(select(Image).order_by(Image.id)))
    found[1].subset = "val"
    found[2].status = "done"
    session.commit()
    return found


def ids(file: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        [image["id"] for image in file["images"]],
        [record["id"] for record in file["annotations"]],
        [category["id"] for category in file["categories"]],
    )


def test_filters(exported: Export, three: list[Image], session: Session) -> None:
    dog = session.scalars(select(Category).where(Category.name == "dog")).one()
    for filters, wanted in (
        (ImageFilter(), ([10, 20, 30], [5, 5, 90], [2, 7])),
        (ImageFilter(subset="val"), ([20], [5, 90], [2, 7])),
        (ImageFilter(status="done"), ([30], [], [2, 7])),
        (ImageFilter(annotated=True), ([10, 20], [5, 5, 90], [2, 7])),
        (ImageFilter(annotated=False), ([30], [], [2, 7])),
        (ImageFilter(categories=(dog.id,)), ([20], [90], [7])),
        (ImageFilter(categories=(dog.id,), subset="default"), ([], [], [7])),
    ):
        assert ids(exported(filters=filters)) == wanted


def test_numbering_anew(exported: Export, three: list[Image]) -> None:
    file = exported(ids="reindex")
    assert ids(file) == ([1, 2, 3], [1, 2, 3], [2, 7])
    assert [record["image_id"] for record in file["annotations"]] == [1, 2, 2]
    assert [record["category_id"] for record in file["annotations"]] == [2, 2, 7]
    file = exported(ids="reindex", filters=ImageFilter(subset="val"))
    assert ids(file) == ([1], [1, 2], [2, 7])
    assert [record["image_id"] for record in file["annotations"]] == [1, 1]


def test_numbering_anew_touches_nothing_else(context: AppContext, dataset: Dataset) -> None:
    text = to_bytes(coco(annotation(id=9, area="@"))).replace(b'"@"', b"7.2500")
    put_in(context, dataset, text)
    wanted = numbers_as_text(text) | {"licenses": []}
    wanted["annotations"][0]["id"] = ("number", "1")
    assert numbers_as_text(get_out(context, dataset, ids="reindex")) == wanted


def test_numbering_anew_parts_equal_category_ids(
    context: AppContext, session: Session, exported: Export, dataset: Dataset
) -> None:
    put_in(context, dataset, to_bytes(coco(annotation())))
    other = coco(annotation(id=2), categories=[{"id": 1, "name": "dog"}])
    put_in(context, dataset, to_bytes(other))
    file = exported(ids="reindex")
    assert [(c["id"], c["name"]) for c in file["categories"]] == [(1, "cat"), (2, "dog")]
    assert [record["category_id"] for record in file["annotations"]] == [1, 2]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"task": "nonsense"}, "task_unknown"),
    ],
)
def test_what_cannot_be_exported(
    context: AppContext, dataset: Dataset, options: dict[str, str], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        get_out(context, dataset, **options)
    assert caught.value.code == code


def test_one_state_whatever_others_change(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    images = [
        {"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 6, "pad": "x" * 200}
        for i in range(3000)
    ]
    file = coco(*(annotation(id=i, image_id=i) for i in range(3000)), images=images)
    put_in(context, dataset, to_bytes(file))
    with snapshot(context.sessions) as own:
        pieces = export_file(own, dataset_id=dataset.id, options=ExportOptions())
        first = next(pieces)
        found = session.scalars(select(Annotation).order_by(Annotation.id.desc())).first()
        assert found is not None
        annotations.delete_annotation(
            session, annotation=found, user=make_user(session), expected=None
        )
        make_image(session, dataset=dataset)
        session.commit()
        rest = b"".join(pieces)
    assert json.loads(first + rest) == file | {"licenses": []}


def test_writing_to_a_file_tells_progress(context: AppContext, dataset: Dataset) -> None:
    class Told:
        done = 0

        def tell(self, done: int, total: int, message: str = "") -> None:
            self.done = done + 0 * total * len(message)

    put_in(context, dataset, to_bytes(coco(annotation())))
    told, file = Told(), io.BytesIO()
    with snapshot(context.sessions) as session:
        pieces = export_file(session, dataset_id=dataset.id, options=ExportOptions())
        size = write_to(file, pieces, progress=told)
    assert told.done == size == len(file.getvalue())


def test_file_stems() -> None:
    assert file_stem("Street signs/2026: é") == "Street_signs_2026__é"
    assert file_stem("../..") == "dataset"
