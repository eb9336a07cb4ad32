"""Mask images become annotations."""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import masks
from app.context import AppContext
from app.models import Annotation, Category, Dataset, Image
from app.services.imports.imports import ImportFailed
from app.services.imports.mask_mapping import MaskOptions
from app.services.imports.masks import import_masks
from tests.build import make_category, make_dataset, make_image
from tests.build.coco import annotation, coco
from tests.build.content import everything
from tests.build.pictures import make_picture, make_png_header, make_zip
from tests.services.exporting import get_out, put_in
from tests.services.importing import numbers

LABELS = np.zeros((6, 8), np.uint8)
LABELS[1:3, 1:3] = 1
LABELS[3, 3] = 1
LABELS[5, 0] = 1
LABELS[0:4, 6] = 2


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return make_dataset(session)


@pytest.fixture
def image(session: Session, dataset: Dataset) -> Image:
    return make_image(session, dataset=dataset, file_name="a.jpg", width=8, height=6)


def saved(array: Any, *, kind: str = "PNG", palette: list[int] | None = None) -> bytes:
    picture = Picture.fromarray(np.asarray(array))
    if palette is not None:
        picture.putpalette(palette)
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def colored(labels: Any = LABELS, red: int = 0xFF0000, blue: int = 0x0000FF) -> Any:
    table = np.array([[0, 0, 0], *([c >> 16, c >> 8 & 255, c & 255] for c in (red, blue))])
    return table[labels].astype(np.uint8)


def put(
    context: AppContext,
    dataset: Dataset,
    pictures: dict[str, bytes],
    tmp_path: Path,
    **options: Any,
) -> dict[str, Any]:
    path = tmp_path / "masks.zip"
    path.write_bytes(make_zip(pictures))
    if isinstance(options.get("mapping"), dict):
        options["mapping"] = json.dumps(options["mapping"])
    with context.sessions.begin() as session:
        return import_masks(
            session,
            dataset_id=dataset.id,
            user_id=dataset.created_by or 0,
            path=path,
            scratch=context.storage.scratch,
            settings=context.settings,
            options=MaskOptions(**options),
        )


def drawn(session: Session) -> list[tuple[str, Any]]:
    """Category and bitmap of each annotation, drawn from what is stored."""
    session.expire_all()
    names = {category.id: category.name for category in session.scalars(select(Category))}
    found = []
    for one in session.scalars(select(Annotation).order_by(Annotation.id)):
        record = json.loads(one.record)
        mask = masks.from_segmentations([record["segmentation"]], [6, 8])
        assert record["area"] == one.area == masks.area(mask)[0]
        assert record["bbox"] == one.bbox == masks.bbox(mask)[0].tolist()
        assert record["id"] == one.coco_id
        found.append((names[one.category_id or 0], masks.decode(mask)[0].astype(bool)))
    session.commit()
    return found


def same(found: list[tuple[str, Any]], expected: list[tuple[str, Any]]) -> bool:
    return [name for name, _ in found] == [name for name, _ in expected] and all(
        (a == b).all() for (_, a), (_, b) in zip(found, expected, strict=True)
    )


ONE, TWO = LABELS == 1, LABELS == 2
PALETTE = [0, 0, 0, 255, 0, 0, 0, 0, 255] + [0] * 759
_WAYS: dict[str, tuple[bytes, dict[str, str]]] = {
    "grey": (saved(LABELS), {"1": "cat", "2": "dog"}),
    "grey 16": (saved(LABELS.astype(np.uint16) * 300), {"300": "cat", "600": "dog"}),
    "grey tiff": (saved(LABELS, kind="TIFF"), {"1": "cat", "2": "dog"}),
    "16 bit tiff": (saved(LABELS.astype(np.uint16), kind="TIFF"), {"1": "cat", "2": "dog"}),
    "palette": (saved(LABELS, palette=PALETTE), {"1": "cat", "2": "dog"}),
    "gif": (saved(LABELS, kind="GIF", palette=PALETTE), {"1": "cat", "2": "dog"}),
    "colours": (saved(colored()), {"#FF0000": "cat", "#0000ff": "dog"}),
    "colours as in Python": (saved(colored()), {"(255, 0, 0)": "cat", "(0, 0, 255)": "dog"}),
    "bmp": (saved(colored(), kind="BMP"), {"#ff0000": "cat", "#0000ff": "dog"}),
    "greys as colours": (saved(colored(red=0x010101, blue=0x020202)), {"1": "cat", "2": "dog"}),
}  # fmt: skip


@pytest.mark.parametrize("outline", ["mask", "polygons"])
@pytest.mark.parametrize("way", _WAYS)
def test_every_kind_of_picture(
    context: AppContext,
    session: Session,
    dataset: Dataset,
    image: Image,
    tmp_path: Path,
    way: str,
    outline: str,
) -> None:
    data, mapping = _WAYS[way]
    report = put(context, dataset, {"a.png": data}, tmp_path, mapping=mapping, outline=outline)
    assert report["issue_counts"] == {}
    assert report["annotations"] == numbers(created=2) | {"rejected": 0}
    assert report["categories"] == numbers(created=2)
    cat, dog = ("cat", ONE), ("dog", TWO)
    # Values come in their order, and blue is less than red.
    blue_first = way in ("colours", "colours as in Python", "bmp")
    assert same(drawn(session), [dog, cat] if blue_first else [cat, dog])
    kinds = {
        type(json.loads(one.record)["segmentation"]) for one in session.scalars(select(Annotation))
    }
    assert kinds == {dict if outline == "mask" else list}


def test_parts(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    square, dot, corner = np.zeros((3, 6, 8), bool)
    square[1:3, 1:3], dot[3, 3], corner[5, 0] = True, True, True
    options: dict[str, Any] = {"mapping": {"1": "cat", "2": None}}
    report = put(context, dataset, {"a.png": saved(LABELS)}, tmp_path, parts="4", **options)
    assert report["annotations"]["created"] == 3
    assert same(drawn(session), [("cat", corner), ("cat", square), ("cat", dot)])
    # Joined by their corners, two of them are another one, and one is there already.
    report = put(context, dataset, {"a.png": saved(LABELS)}, tmp_path, parts="8", **options)
    assert report["annotations"] == numbers(created=1, unchanged=1) | {"rejected": 0}
    assert same(drawn(session)[3:], [("cat", square | dot)])


def test_without_a_mapping(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    make_category(session, dataset=dataset, name="cat", color="#ff0000")
    put(context, dataset, {"a.png": saved(colored())}, tmp_path)
    assert sorted(name for name, _ in drawn(session)) == ["#0000ff", "cat"]
    colors = {c.name: c.color for c in session.scalars(select(Category))}
    assert colors["#0000ff"] == "#0000ff"
    session.commit()
    # The palette's colours find the same ones; a grey is named after its value.
    report = put(context, dataset, {"a.png": saved(LABELS, palette=PALETTE)}, tmp_path)
    assert report["annotations"]["unchanged"] == 2
    put(context, dataset, {"a.png": saved(LABELS)}, tmp_path, ignore="0 2")
    assert [name for name, _ in drawn(session)][2:] == ["1"]


def test_a_mapping_of_single_files_and_of_ids(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    dog = make_category(session, dataset=dataset, name="dog")
    make_image(session, dataset=dataset, file_name="x/b.jpg", width=8, height=6)
    mapping = {"1": "cat", "2": dog.coco_id, "b_mask.png": {"1": "lamp", "2": None}}
    pictures = {"a_mask.png": saved(LABELS), "masks/b_mask.tif": saved(LABELS, kind="TIFF")}
    report = put(context, dataset, pictures, tmp_path, mapping=mapping, suffix="_mask")
    assert report["issue_counts"] == {}
    assert [name for name, _ in drawn(session)] == ["cat", "dog", "lamp"]
    assert report["images"]["unchanged"] == 2


def test_twice_changes_nothing(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    put(context, dataset, {"a.png": saved(LABELS)}, tmp_path)
    before = everything(session)
    session.commit()
    report = put(context, dataset, {"a.png": saved(LABELS)}, tmp_path)
    assert report["annotations"] == numbers(unchanged=2) | {"rejected": 0}
    assert everything(session) == before


def test_what_is_made_is_like_what_is_drawn(
    context: AppContext, session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    """With ids of the dataset, beside what a file brought, counted and exported with it."""
    file = coco(annotation(id=41))
    put_in(context, dataset, file)
    put(context, dataset, {"a.png": saved(LABELS)}, tmp_path, mapping={"1": "cat", "2": "dog"})
    out = get_out(context, dataset, "instances")
    assert [one["id"][1] for one in out["annotations"]] == ["41", "42", "43"]
    assert [one["category_id"][1] for one in out["annotations"]] == ["1", "1", "2"]
    assert out["annotations"][1]["image_id"] == ("number", "1")
    image = session.scalars(select(Image)).one()
    assert image.annotation_count == 3
    author = {one.updated_by for one in session.scalars(select(Annotation))}
    assert author == {None, dataset.created_by}


def four_bits(values: Any) -> bytes:
    """A grey PNG of four bits, which Pillow cannot write."""
    height, width = values.shape
    packed = values[:, 0::2] << 4 | values[:, 1::2]
    rows = b"".join(b"\0" + bytes(row.tolist()) for row in packed)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_values_are_those_of_the_file(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    put(context, dataset, {"a.png": four_bits(LABELS)}, tmp_path, mapping={"1": "cat", "2": "dog"})
    assert same(drawn(session), [("cat", ONE), ("dog", TWO)])
    clear = np.dstack([colored(), np.where(TWO, 0, 255).astype(np.uint8)])
    report = put(context, dataset, {"a.png": saved(clear)}, tmp_path, mapping={"#ff0000": "cat"})
    assert report["annotations"] == numbers(unchanged=1) | {"rejected": 0}
    assert report["issue_counts"] == {}


# What is wrong. ---------------------------------------------------------------------------------

_NOISE = np.random.default_rng(3).integers(0, 2, (6, 8)).astype(np.uint8)
_BAD: dict[str, tuple[str, bytes]] = {
    "mask_image_unreadable": ("a.png", saved(LABELS)[:50]),
    "mask_image_lossy": ("a.jpg", make_picture(kind="JPEG", size=(8, 6))),
    "mask_image_mode": ("a.tif", make_picture(kind="TIFF", mode="F", size=(8, 6))),
    "mask_image_too_large": ("a.png", make_png_header(60_000, 60_000)),
    "mask_image_size": ("a.png", saved(LABELS[1:])),
    "mask_image_unknown": ("c.png", saved(LABELS)),
    "mask_image_ambiguous": ("twin.png", saved(LABELS)),
    "mask_values_many": ("large.png", saved(np.arange(2000, dtype=np.uint16).reshape(40, 50))),
    "mask_value_unmapped": ("a.png", saved(np.where(TWO, 9, LABELS).astype(np.uint8))),
    "mask_category_unknown": ("a.png", saved(np.where(TWO, 3, 0).astype(np.uint8))),
}


@pytest.mark.parametrize("code", _BAD)
def test_one_bad_picture_never_loses_the_others(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path, code: str
) -> None:
    make_image(session, dataset=dataset, file_name="large.jpg", width=50, height=40)
    for name in ("x/twin.jpg", "y/twin.jpg", "good.jpg"):
        make_image(session, dataset=dataset, file_name=name, width=8, height=6)
    name, data = _BAD[code]
    mapping = {"1": "cat", "2": "dog", "3": 99}
    pictures = {name: data, "good.png": saved(LABELS)}
    before = everything(session)
    session.commit()
    with pytest.raises(ImportFailed) as caught:
        put(context, dataset, pictures, tmp_path, mapping=mapping, mode="strict")
    assert caught.value.result is not None
    assert caught.value.result["imported"] is False
    assert everything(session) == before
    session.commit()
    report = put(context, dataset, pictures, tmp_path, mapping=mapping)
    assert report["issue_counts"] == {code: 1}
    assert report["issues"][0]["path"] == name
    assert [name for name, _ in drawn(session)][-2:] == ["cat", "dog"]
    assert not list(context.storage.scratch._own_folder().glob("*/*"))


def test_two_pictures_of_one_image(
    context: AppContext, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    report = put(
        context, dataset, {"a.png": saved(LABELS), "b/a.bmp": saved(LABELS, kind="BMP")}, tmp_path
    )
    assert report["issue_counts"] == {"mask_image_duplicate": 1}


def test_noise_is_refused_where_it_is_taken_apart(
    context: AppContext, session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    make_image(session, dataset=dataset, file_name="n.jpg", width=300, height=300)
    noise = np.random.default_rng(1).integers(0, 3, (300, 300)).astype(np.uint8)
    report = put(context, dataset, {"n.png": saved(noise)}, tmp_path, parts="4")
    assert report["issue_counts"] == {"mask_parts_many": 1}
    assert report["categories"]["created"] == 0


@pytest.mark.parametrize("data", [b"PK\x03\x04 and nothing else", make_zip({})])
def test_zips_that_hold_nothing(
    context: AppContext, dataset: Dataset, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "masks.zip"
    path.write_bytes(data)
    with context.sessions.begin() as session, pytest.raises(ImportFailed) as caught:
        import_masks(
            session,
            dataset_id=dataset.id,
            user_id=dataset.created_by or 0,
            path=path,
            scratch=context.storage.scratch,
            settings=context.settings,
            options=MaskOptions(),
        )
    assert caught.value.result is not None
    assert caught.value.result["issue_counts"] == {"zip_invalid": 1}


def test_a_bomb_in_the_zip(
    context: AppContext, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", saved(LABELS) + bytes(60_000_000))
    with context.sessions.begin() as session:
        report = import_masks(
            session,
            dataset_id=dataset.id,
            user_id=dataset.created_by or 0,
            path=path,
            scratch=context.storage.scratch,
            settings=context.settings,
            options=MaskOptions(),
        )
    assert report["issue_counts"] == {"mask_image_unreadable": 1}


def test_a_try_changes_nothing(
    context: AppContext, session: Session, dataset: Dataset, image: Image, tmp_path: Path
) -> None:
    before = everything(session)
    session.commit()
    report = put(context, dataset, {"a.png": saved(LABELS)}, tmp_path, dry_run=True)
    assert (report["annotations"]["created"], report["imported"]) == (2, False)
    assert everything(session) == before
