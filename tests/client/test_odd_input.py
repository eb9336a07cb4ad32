"""Where pycocotools crashes or answers nonsense, ours says something sensible."""

import codecs
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import client
from app.client import COCO
from tests.build.coco import annotation, coco


def opened(*annotations: Any, **members: Any) -> COCO:
    return COCO(coco(*annotations, **members))


def pixels(**members: Any) -> int:
    """How many pixels the mask of one annotation has, on an image of 8 x 6."""
    made = opened(annotation(**members))
    mask = made.annToMask(made.dataset["annotations"][0])
    assert (mask.shape, str(mask.dtype)) == ((6, 8), "uint8")
    return int(mask.sum())


# Files


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-32"),
    ],
    ids=["utf-8-sig", "utf-16", "utf-32"],
)
def test_byte_order_marks(encode: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(encode(json.dumps(coco(annotation(), note="ä"), ensure_ascii=False)))
    assert COCO(path).dataset["note"] == "ä"
    assert COCO(str(path)).getAnnIds() == [1]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "json_malformed"),
        (b"{", "json_malformed"),
        (b'{"a": "\xff"}', "json_malformed"),
        (b"[1]", "top_level"),
        (codecs.BOM_UTF16_LE + b"\x00", "encoding_invalid"),
        (b"[" * 100_000, "json_malformed"),
    ],
)
def test_files_that_are_none(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(client.BadFile, match=r"a\.json") as caught:
        COCO(tmp_path / "a.json")
    assert caught.value.code == code


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        COCO(tmp_path / "a.json")


def test_nan_does_not_stop_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(coco(annotation(score=float("nan")))))
    assert COCO(tmp_path / "a.json").getAnnIds() == [1]


def test_an_object_without_lists() -> None:
    empty = COCO({"annotations": None, "images": None})
    assert empty.getAnnIds(catIds=1) == empty.getCatIds(catNms="x") == empty.getImgIds() == []
    assert empty.loadAnns() == []
    empty.info()


def test_records_that_lack_members() -> None:
    made = opened(
        annotation(id=...),
        annotation(id=2, image_id=...),
        annotation(id=3, category_id=...),
        annotation(id=4, area=..., iscrowd=...),
        "no record",
        categories=[{"id": 1}, {"id": 2, "name": "dog"}],
    )
    assert made.getAnnIds() == [2, 3, 4]
    assert len(made.imgToAnns[1]) == 3
    assert made.getAnnIds(catIds=1) == [2, 4]
    assert made.getAnnIds(areaRng=[0, 7]) == [4]
    assert made.getAnnIds(iscrowd=False) == [2, 3, 4]
    assert made.getCatIds(supNms="animal") == []
    assert made.getCatIds(catNms="dog") == [2]


def test_an_area_that_nothing_tells_is_in_no_range() -> None:
    made = opened(annotation(area=..., segmentation=..., bbox=..., caption="a cat"))
    assert made.getAnnIds(areaRng=[0, np.inf]) == []


def test_equal_ids() -> None:
    made = opened(annotation(area=1), annotation(area=2))
    assert made.getAnnIds() == [1, 1]
    assert [a["area"] for a in made.loadAnns([1, 1])] == [2, 2]


def test_texts_are_ids() -> None:
    made = opened(
        annotation(id="12", image_id="im"), images=[{"id": "im", "width": 8, "height": 6}]
    )
    assert made.loadAnns("12") == made.loadAnns(["12"]) == made.imgToAnns["im"]
    assert made.getAnnIds(imgIds="im") == ["12"]
    assert made.getImgIds(imgIds="im") == ["im"]


def test_a_name_is_the_whole_name() -> None:
    made = opened(categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "a"}])
    assert made.getCatIds(catNms="cat") == [1]


def test_one_id_of_any_kind() -> None:
    made = opened(annotation(id=7))
    assert made.loadAnns(7) == made.loadAnns(np.int64(7)) == made.loadAnns(iter([7]))


@pytest.mark.parametrize("load", ["loadAnns", "loadCats", "loadImgs"])
def test_an_id_that_is_not_there(load: str) -> None:
    with pytest.raises(KeyError) as caught:
        getattr(opened(), load)([99])
    assert isinstance(caught.value, client.UnknownId)
    assert str(caught.value).endswith("with the id 99.")


def test_questions_leave_no_trace() -> None:
    made = opened(annotation())
    made.getImgIds(catIds=99)
    made.getAnnIds(imgIds=99)
    assert (set(made.catToImgs), set(made.imgToAnns)) == ({1}, {1})


# Masks


@pytest.mark.parametrize(
    "segmentation",
    [
        [[1, 1, 5, 1, 5, 4, 1, 4]],
        [1, 1, 5, 1, 5, 4, 1, 4],
        [[[1, 1], [5, 1], [5, 4], [1, 4]]],
        [[1, 1], [5, 1], [5, 4], [1, 4]],
        [["1", "1", "5", "1", "5.0", "4", "1", "4"]],
        [[1, 1, 5, 1, 5, 4, 1, 4, 9]],
        [[1, 1, 2, 2], [1, 1, 5, 1, 5, 4, 1, 4]],
        [np.array([1, 1, 5, 1, 5, 4, 1, 4])],
        ((1, 1, 5, 1, 5, 4, 1, 4),),
        {"size": [6, 8], "counts": [7, 3, 3, 3, 3, 3, 3, 3, 20]},
        {"size": ["6", "8"], "counts": "73300000a0"},
        {"size": [6.0, 8.0], "counts": b"73300000a0"},
        {"size": [6, 8], "counts": "b'73300000a0'"},
        {"size": [6, 8], "counts": [7, 3, 3, 0, 0, 3, 3, 3, 3, 3, 20]},
    ],
)
def test_segmentations_that_are_clear(segmentation: Any) -> None:
    assert pixels(segmentation=segmentation) == 12


@pytest.mark.parametrize("segmentation", [..., None, [], [[]], [[1, 1, 5, 4]]])
def test_a_bare_box_covers_its_box(segmentation: Any) -> None:
    assert pixels(segmentation=segmentation, bbox=[1, 1, 4, 3]) == 12


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"segmentation": "x"}, "segmentation_invalid"),
        ({"segmentation": [[1, 1, 5, 1, 5, None]]}, "segmentation_invalid"),
        ({"segmentation": [[1, 1, 5, 1, 5, float("nan")]]}, "polygon_not_finite"),
        ({"segmentation": [[1, 1, 5, 1, 5, 1e9]]}, "polygon_too_large"),
        ({"segmentation": {"size": [6, 8], "counts": ""}}, "rle_empty"),
        ({"segmentation": {"size": [6, 8], "counts": [7]}}, "rle_short"),
        ({"segmentation": {"size": [6, 8], "counts": "73300000a0P"}}, "rle_truncated"),
        ({"segmentation": {"size": [6], "counts": [48]}}, "rle_size_invalid"),
        ({"segmentation": {"counts": [48]}}, "rle_invalid"),
        ({"segmentation": ..., "bbox": ...}, "geometry_missing"),
        ({"segmentation": ..., "keypoints": [1, 1, 2]}, "geometry_missing"),
        ({"image_id": 9}, "image_unknown"),
    ],
)
def test_annotations_without_a_mask(members: dict[str, Any], code: str) -> None:
    made = opened(annotation(**members))
    for method in (made.annToRLE, made.annToMask):
        with pytest.raises(client.BadGeometry) as caught:
            method(made.dataset["annotations"][0])
        assert caught.value.code == code


def test_images_without_a_size() -> None:
    made = opened(
        annotation(segmentation={"size": [2, 2], "counts": "04"}), images=[{"id": 1, "width": 8}]
    )
    assert made.annToMask(made.loadAnns(1)[0]).tolist() == [[1, 1], [1, 1]]
    with pytest.raises(client.BadGeometry, match="width and height"):
        made.annToMask(annotation())
    assert pixels_of_size("8", "6") == pixels_of_size(8.0, 6.0) == pixels_of_size(8, 6)


def pixels_of_size(width: Any, height: Any) -> list[Any]:
    made = opened(annotation(), images=[{"id": 1, "width": width, "height": height}])
    found: list[Any] = made.annToMask(made.loadAnns(1)[0]).tolist()
    return found


# Results


def test_no_results_are_results() -> None:
    found = opened(annotation()).loadRes([])
    assert (found.getAnnIds(), found.getCatIds(), found.getImgIds()) == ([], [1], [1])


def test_results_of_several_kinds_in_one_list() -> None:
    given = [
        {"image_id": 1, "category_id": 1, "score": 0.5, "keypoints": [1, 1, 2, 4, 3, 0]},
        {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [1, 1, 4, 3]},
        {"image_id": 1, "category_id": 1, "bbox": [], "segmentation": [[1, 1, 5, 1, 5, 4, 1, 4]]},
        {"image_id": 1, "segmentation": {"size": [6, 8], "counts": [7, 3, 38]}, "id": 77},
        {"image_id": 1, "caption": "a cat"},
        {"image_id": 1, "category_id": 1, "bbox": np.array([1, 1, 4, 3], np.float32)},
    ]
    before = copy.deepcopy(given)
    found = opened(annotation()).loadRes(given)
    assert repr(given) == repr(before)
    assert [a["id"] for a in found.dataset["annotations"]] == [1, 2, 3, 4, 5, 6]
    assert [a.get("area") for a in found.dataset["annotations"]] == [6, 12, 12, 3, None, 12.0]
    assert found.anns[4]["bbox"] == [1.0, 1.0, 1.0, 3.0]
    assert found.anns[1]["bbox"] == [1, 1, 3, 2]
    assert found.getImgIds() == [1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"image_id": 1}, "list of objects"),
        ([3], "Result 0 is not an object"),
        ([{"image_id": 9, "bbox": [1, 1, 1, 1]}], "Result 0 is for an image that is not here: 9"),
        ([{"bbox": [1, 1, 1, 1]}], "not here: None"),
        ([{"image_id": [1], "bbox": [1, 1, 1, 1]}], r"not here: \[1\]"),
        ([{"image_id": 1}], "Result 0 cannot be read: it has no caption"),
        ([{"image_id": 1, "bbox": [1, 1]}], "Result 0 cannot be read"),
        ([{"image_id": 1, "bbox": None}], "Result 0 cannot be read"),
        ([{"image_id": 1, "keypoints": []}], "Result 0 cannot be read"),
        (np.zeros((2, 6)), r"\(N, 7\), not \(2, 6\)"),
    ],
)
def test_what_is_no_list_of_results(given: Any, told: str) -> None:
    with pytest.raises(client.BadResults, match=told):
        opened(annotation()).loadRes(given)


def test_a_result_whose_mask_is_none() -> None:
    broken = {"image_id": 1, "segmentation": {"size": [6, 8], "counts": [7]}}
    with pytest.raises(client.BadGeometry) as caught:
        opened(annotation()).loadRes([broken])
    assert caught.value.code == "rle_short"


def test_results_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 3]}]))
    for name in (path, str(path)):
        assert opened(annotation()).loadRes(name).getAnnIds(areaRng=[11, 13]) == [1]


# Calls


@pytest.mark.parametrize(
    "call",
    [
        {"server": "http://localhost"},
        {"dataset": 3},
        {"annotation_file": "a.json", "server": "http://localhost", "dataset": 3},
        {"annotation_file": {}, "subset": "train"},
        {"annotation_file": "a.json", "token": "x"},
    ],
)
def test_wrong_calls(call: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        COCO(**call)


@pytest.mark.parametrize("address", ["http://localhost:1/", "https://host/images/3"])
def test_addresses_of_no_dataset(address: str) -> None:
    with pytest.raises(client.ClientError, match="not the address of a dataset"):
        COCO(address)


def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(client.ServerError, match="cannot be reached") as caught:
        COCO("http://127.0.0.1:9/datasets/3")
    assert caught.value.status is None
