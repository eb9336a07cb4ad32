"""YOLO folders: what comes back after a way out and in, and what is told about the rest."""

import json
import time
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from app import masks
from app.context import AppContext
from app.errors import Conflict
from app.formats import FORMATS
from app.models import Category, Dataset, Image
from app.services.imports.imports import ImportFailed
from tests.services.exporting import put_in
from tests.services.folders import (
    COCO_DATA,
    annotated,
    codes,
    get_zip,
    losses,
    new_dataset,
    png,
    put_zip,
)

_PIXEL = 0.0011
"""Positions are written exactly enough and read to a thousandth of a pixel."""


@pytest.fixture
def real(context: AppContext, session: Any, dataset: Dataset) -> Dataset:
    """A dataset with real instances and the pictures."""
    session.commit()
    put_in(context, dataset, (COCO_DATA / "instances.json").read_bytes())
    return dataset


def _near(one: list[float], other: list[float], by: float = _PIXEL) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def test_real_boxes_come_back(context: AppContext, real: Dataset) -> None:
    files = get_zip(context, real, "yolo-detect")
    other = new_dataset(context, real)
    labels = {name: text for name, text in files.items() if name != "export-report.json"}
    for name in [name for name in labels if name.endswith(".txt")]:
        stem = name.removeprefix("labels/default/").removesuffix(".txt")
        picture = (COCO_DATA / "images" / f"{stem}.jpg").read_bytes()
        labels[f"images/default/{stem}.jpg"] = picture
    report = put_zip(context, other, labels)
    before, after = annotated(context, real), annotated(context, other)
    assert report["format"] == "yolo-detect"
    assert codes(report) == {}
    assert report["images"]["created"] == 12
    assert before.keys() == after.keys()
    for name, objects in before.items():
        kept = [one for one in objects if not one["iscrowd"]]
        assert [one["category"] for one in kept] == [one["category"] for one in after[name]]
        for one, back in zip(kept, after[name], strict=True):
            assert _near(one["bbox"], back["bbox"])
    told = losses(files)
    assert told["crowd_left_out"] == 3
    assert told["segmentation_left_out"] == 114
    with context.sessions() as session:
        found = session.scalars(select(Image).where(Image.dataset_id == other.id)).all()
        assert all(image.blob_sha256 is not None and image.subset == "default" for image in found)


def _iou(one: dict[str, Any], other: dict[str, Any], size: tuple[int, int]) -> float:
    drawn = masks.from_segmentations([one["segmentation"], other["segmentation"]], [size, size])
    return float(masks.iou_pairs(drawn[:1], drawn[1:])[0])


def test_real_polygons_come_back(context: AppContext, real: Dataset) -> None:
    files = get_zip(context, real, "yolo-segment")
    other = new_dataset(context, real)
    with_sizes(context, real, other)
    report = put_zip(context, other, files)
    assert (report["format"], codes(report)) == ("yolo-segment", {})
    coco = json.loads((COCO_DATA / "instances.json").read_bytes())
    sizes = {one["file_name"]: (one["height"], one["width"]) for one in coco["images"]}
    before, after = annotated(context, real), annotated(context, other)
    single = joined = 0
    for name, objects in before.items():
        kept = [one for one in objects if not one["iscrowd"]]
        for one, back in zip(kept, after[name], strict=True):
            assert one["category"] == back["category"]
            (polygon,) = back["segmentation"]
            if len(one["segmentation"]) == 1:
                single += 1
                assert _near(one["segmentation"][0], polygon)
            else:
                joined += 1
                assert _iou(one, back, sizes[name]) > 0.97
    assert (single, joined) == (106, 8)
    assert losses(files)["parts_joined"] == 8


def with_sizes(context: AppContext, source: Dataset, target: Dataset) -> None:
    """Images alone, so that labels without pictures find them."""
    with context.sessions() as session:
        rows = session.scalars(select(Image).where(Image.dataset_id == source.id)).all()
        images = [
            {"id": n, "file_name": row.file_name, "width": row.width, "height": row.height}
            for n, row in enumerate(rows, 1)
        ]
    file = {"images": images, "annotations": [], "categories": []}
    put_in(context, target, file, task="image_info")


def test_holes_and_masks_keep_their_pixels(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    session.commit()
    bitmap = np.zeros((12, 16), np.uint8)
    bitmap[2:9, 3:12] = 1
    bitmap[4:6, 5:8] = 0
    bitmap[10:12, 14:16] = 1
    rle = masks.to_dicts(masks.encode(bitmap))[0]
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 16, "height": 12}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": rle, "iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {
                "id": 3,
                "image_id": 1,
                "category_id": 1,
                "segmentation": [[-4, 1, 5, 1, 5, 5, -4, 5]],
                "score": 0.5,
            },
        ],
    }
    put_in(context, dataset, coco)
    files = get_zip(context, dataset, "yolo-segment")
    assert losses(files) == {
        "attributes_left_out": 1,
        "box_drawn": 1,
        "hole_by_seam": 1,
        "mask_traced": 1,
        "parts_joined": 1,
        "polygons_traced": 1,
    }
    other = new_dataset(context, dataset)
    with_sizes(context, dataset, other)
    put_zip(context, other, files)
    hole, square, cut = annotated(context, other)["a.jpg"]
    drawn = masks.from_polygons([hole["segmentation"]], [(12, 16)])
    assert np.array_equal(masks.decode(drawn)[0], bitmap)
    assert square["bbox"] == [1, 2, 3, 4]
    assert cut["bbox"] == [0, 1, 5, 4]


def test_real_keypoints_come_back(context: AppContext, session: Any, dataset: Dataset) -> None:
    session.commit()
    put_in(context, dataset, (COCO_DATA / "person_keypoints.json").read_bytes())
    files = get_zip(context, dataset, "yolo-pose")
    text = files["data.yaml"].decode()
    assert "kpt_shape: [17, 3]" in text
    assert "flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]" in text
    other = new_dataset(context, dataset)
    with_sizes(context, dataset, other)
    report = put_zip(context, other, files)
    assert (report["format"], report["task"]) == ("yolo-pose", "person_keypoints")
    assert codes(report) == {}
    before, after = annotated(context, dataset), annotated(context, other)
    for name, objects in before.items():
        for one, back in zip(objects, after[name], strict=True):
            assert _near(one["bbox"], back["bbox"])
            assert _near(one["keypoints"], back["keypoints"])
            assert one["num_keypoints"] == back["num_keypoints"]
    with context.sessions() as own:
        first, second = (
            own.scalars(select(Category).where(Category.dataset_id == one.id)).one()
            for one in (dataset, other)
        )
        assert (first.keypoints, first.skeleton) == (second.keypoints, second.skeleton)


ODD = ["no", "1.0", "a: b", '"x"\\', "日本\U0001f431", "#c", " spaced ", "\u00a0"]


def test_names_subsets_and_empty_images(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    """Names that YAML would misread, images without objects, subsets of any name."""
    session.commit()
    names = dict(enumerate(ODD))
    yaml = "train: images/train\nholdout 2: [images/holdout]\nval: ../images/val\nnames: "
    files: dict[str, bytes | str] = {"top/data.yaml": yaml + json.dumps(list(names.values()))}
    for subset, name in (("train", "x/ä #1"), ("holdout", "b"), ("val", "c")):
        files[f"top/images/{subset}/{name}.png"] = png(10, 10)
    files["top/labels/train/x/ä #1.txt"] = "".join(f"{n} .5 .5 .2 .2\n" for n in names)
    files["top/labels/val/c.txt"] = "\n"
    report = put_zip(context, dataset, files)
    assert codes(report) == {}
    sent = get_zip(context, dataset, "yolo-detect", images=True)
    assert sent["labels/val/c.txt"] == sent["labels/holdout_2/b.txt"] == b""
    other = new_dataset(context, dataset)
    assert codes(put_zip(context, other, sent)) == {}
    for one in (dataset, other):
        found = annotated(context, one)
        assert found.keys() == {"x/ä #1.png", "b.png", "c.png"}
        called = [a["category"] for a in found["x/ä #1.png"]]
        assert called == [name.strip() or "class_7" for name in ODD]
    with context.sessions() as own:
        rows = own.scalars(select(Image).where(Image.dataset_id == other.id))
        assert {image.file_name: image.subset for image in rows} == {
            "x/ä #1.png": "train",
            "b.png": "holdout_2",
            "c.png": "val",
        }


def test_the_same_zip_twice_changes_nothing(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat, dog]\ntrain: train/images\nval: valid/images",
        "train/images/a.png": png(10, 20),
        "train/labels/a.txt": "0 0.5 0.5 0.5 0.5\n1 0.1 0.1 0.2 0.1 0.2 0.2\n",
        "valid/images/b.png": png(10, 20),
    }
    assert put_zip(context, dataset, files, dry_run=True)["images"]["created"] == 2
    assert annotated(context, dataset) == {}
    assert put_zip(context, dataset, files)["annotations"]["created"] == 2
    before = annotated(context, dataset)
    again = put_zip(context, dataset, files)
    assert again["images"] == {"created": 0, "updated": 0, "unchanged": 2}
    assert again["categories"] == {"created": 0, "updated": 0, "unchanged": 2}
    assert again["annotations"]["unchanged"] == 2
    assert annotated(context, dataset) == before


@pytest.mark.parametrize(
    "line",
    [
        "cat 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0.1",
        "0 0.5 0.5 nan 0.1",
        "0 0.5 0.5 1e999 0.1",
        "0 0.5 0.5 0.1 0.1 0.9",
        "-1 0.5 0.5 0.1 0.1",
        "0.5 0.5 0.5 0.1 0.1",
        "0 50 50 10 10",
        "0 0.5 0.5 -0.1 0.1",
        "\x00",
    ],
)
def test_a_bad_line_is_told_with_its_number(
    context: AppContext, session: Any, dataset: Dataset, line: str
) -> None:
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]",
        "images/a.png": png(10, 10),
        "labels/a.txt": f"0 .5 .5 .1 .1\n\n{line}\n0 .4 .4 .1 .1\n",
    }
    with pytest.raises(ImportFailed):
        put_zip(context, dataset, files, mode="strict")
    report = put_zip(context, dataset, files)
    (issue,) = report["issues"]
    assert (issue["code"], issue["path"]) == ("line_malformed", "labels/a.txt:3")
    assert report["annotations"] == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 1}


def test_other_issues(context: AppContext, session: Any, dataset: Dataset) -> None:
    session.commit()
    files: dict[str, bytes | str] = {
        "images/a.png": png(10, 10),
        "labels/a.txt": "3 .5 .5 .1 .1\n0 1.1 .5 .1 .1\n",
        "images/b.png": b"no picture",
        "images/c.png": png(10, 10),
        "labels/c.txt": b"\xff\xfe\xff",
        "../d.png": png(10, 10),
    }
    report = put_zip(context, dataset, files)
    assert codes(report) == {
        "class_names_missing": 1,
        "image_size_missing": 1,
        "label_file_invalid": 1,
        "picture_rejected": 1,
        "position_outside": 1,
        "zip_invalid": 1,
    }
    told = {issue["code"]: issue for issue in report["issues"]}
    assert told["picture_rejected"]["file"] == "images/b.png"
    assert told["zip_invalid"]["file"] == "../d.png"
    assert report["pictures"] == {"created": 0, "updated": 2, "unchanged": 0, "rejected": 1}
    assert [one["category"] for one in annotated(context, dataset)["a.png"]] == [
        "class_3",
        "class_0",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "names: &a [x]\nmore: *a",
        "names: [",
        "!!python/object/apply:os.system ['true']",
        "[" * 5000,
        "kpt_shape: [9999999, 3]",
        "- 1",
        'more: !!int ""',
        'more: !!bool "x"',
        'more: !!timestamp "x"',
        "more: !!int '-'",
        "more: " + "x" * 4_000_000,
    ],
)
def test_a_hostile_config(context: AppContext, session: Any, dataset: Dataset, text: str) -> None:
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": text,
        "images/a.png": png(10, 10),
        "labels/a.txt": "0 .5 .5 .1 .1",
    }
    report = put_zip(context, dataset, files)
    assert codes(report) == {"class_names_missing": 1, "label_file_invalid": 1}
    assert report["annotations"]["created"] == 1


def test_dates_and_signs_are_names(context: AppContext, session: Any, dataset: Dataset) -> None:
    """What YAML reads as a date is a name here, one that is in no calendar as well."""
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "released: 2024-99-99\nnames: [2024-01-01, 2024-99-99]",
        "images/a.png": png(10, 10),
        "labels/a.txt": "0 .5 .5 .1 .1\n1 .5 .5 .1 .1",
    }
    assert codes(put_zip(context, dataset, files)) == {}
    names = [one["category"] for one in annotated(context, dataset)["a.png"]]
    assert names == ["2024-01-01", "2024-99-99"]


def test_a_subset_with_the_name_of_a_setting(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    session.commit()
    files: dict[str, bytes | str] = {
        "data.yaml": "names: [cat]\nnames_: images/names",
        "images/names/a.png": png(10, 10),
        "labels/names/a.txt": "0 .5 .5 .1 .1",
    }
    put_zip(context, dataset, files)
    with context.sessions.begin() as own:
        own.execute(update(Image).values(subset="names"))
    out = get_zip(context, dataset, "yolo-detect", images=True)
    assert losses(out)["subset_renamed"] == 1
    other = new_dataset(context, dataset)
    assert codes(put_zip(context, other, out)) == {}
    assert [one["category"] for one in annotated(context, other)["a.png"]] == ["cat"]


def test_parts_of_noisy_masks_are_joined_in_time(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    """A mask of thousands of parts keeps its pixels; joining all with all would take minutes."""
    session.commit()
    noise = np.random.default_rng(7).random((150, 150)) < 0.25
    rle = masks.to_dicts(masks.encode(noise))[0]
    image = {"id": 1, "file_name": "a.png", "width": 150, "height": 150}
    shape = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": rle, "iscrowd": 0}
    coco = {"images": [image], "annotations": [shape], "categories": [{"id": 1, "name": "cat"}]}
    put_in(context, dataset, coco)
    begin = time.process_time()
    files = get_zip(context, dataset, "yolo-segment")
    assert time.process_time() - begin < 10
    line = files["labels/default/a.txt"].split()
    polygon = [round(float(n) * 150, 6) for n in line[1:]]
    drawn = masks.decode(masks.from_polygons([[polygon]], [(150, 150)]))[0]
    assert np.array_equal(drawn, noise)


def test_what_is_no_such_folder(context: AppContext, session: Any, dataset: Dataset) -> None:
    session.commit()
    for files, form, code in (
        ({"readme.md": "x"}, "auto", "zip_invalid"),
        ({"data.yaml": "names: [a]", "labels/a.txt": "0"}, "yolo-pose", "label_file_invalid"),
    ):
        with pytest.raises(ImportFailed) as caught:
            put_zip(context, dataset, files, format=form)
        assert code in codes(caught.value.result or {})
    with pytest.raises(ImportFailed) as caught:
        put_in(context, dataset, {}, format="voc")
    assert codes(caught.value.result or {}) == {"zip_needed": 1}


def test_two_images_with_one_label_file(
    context: AppContext, session: Any, dataset: Dataset
) -> None:
    session.commit()
    images = [{"id": n, "file_name": f"a.{n}", "width": 2, "height": 2} for n in (1, 2)]
    put_in(context, dataset, {"images": images, "annotations": [], "categories": []})
    with pytest.raises(Conflict) as conflict:
        get_zip(context, dataset, "yolo-detect")
    assert conflict.value.code == "name_collision"


@pytest.mark.parametrize("form", [form.name for form in FORMATS if form.writer is not None])
def test_captions_labels_and_the_unclassified_are_told(
    context: AppContext, session: Any, dataset: Dataset, form: str
) -> None:
    session.commit()
    images = [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}]
    caption = {"id": 4, "image_id": 1, "caption": "a cat"}
    put_in(context, dataset, {"images": images, "annotations": [caption]}, task="captions")
    label = {"id": 4, "image_id": 1, "category_id": 1}
    file = {"images": images, "annotations": [label], "categories": [{"id": 1, "name": "cat"}]}
    put_in(context, dataset, file, task="labels")
    files = get_zip(context, dataset, form)
    unused = {"category_left_out": 1} if form == "voc" else {}
    assert losses(files) == {"caption_left_out": 1, "label_left_out": 1, **unused}
    told = json.loads(files["export-report.json"])
    assert (told["images"], told["annotations"], told["annotations_left_out"]) == (1, 0, 2)
