"""What people do with pycocotools, as one script that takes the class to do it with.

It answers with plain values, so that two classes can be compared: masks as their dtype, order in
memory, shape and a digest of every pixel; bytes stay bytes.
"""

import contextlib
import hashlib
import io
import itertools
from typing import Any

import numpy as np

__all__ = ["answers", "plain", "results_of"]


def plain(value: Any) -> Any:
    """A value that ``==`` compares wholly; numbers and rows of numbers as Python's."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim < 2):
        return value.tolist()
    if isinstance(value, np.ndarray):
        order = "F" if value.flags["F_CONTIGUOUS"] else "C"
        return [str(value.dtype), order, value.shape, hashlib.sha256(value.tobytes("F")).digest()]
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _printed(function: Any, *arguments: Any) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function(*arguments)
    return out.getvalue()


def _queries(coco: Any) -> dict[str, Any]:
    """Every filter, alone and with others; one id and many, of Python and of NumPy."""
    images, categories = list(coco.imgs), list(coco.cats)
    areas = [a["area"] for a in coco.dataset["annotations"] if "area" in a]
    found: dict[str, Any] = {
        "images": coco.getImgIds(),
        "some images": coco.getImgIds(imgIds=images[::3]),
        "annotations": coco.getAnnIds(),
        "of images": coco.getAnnIds(imgIds=images[::-2]),
        "of an image": [coco.getAnnIds(imgIds=image) for image in images],
        "of an array": coco.getAnnIds(imgIds=np.array(images)),
        "of one of NumPy's": coco.getAnnIds(np.int64(images[0])),
        "of nothing known": coco.getAnnIds(imgIds=[-1]),
    }
    if not categories:
        return found
    middle = float(np.median(areas))
    found |= {
        "categories": coco.getCatIds(),
        "names": [coco.getCatIds(catNms=[c["name"]]) for c in coco.dataset["categories"]],
        "supercategories": [
            coco.getCatIds(supNms=[c["supercategory"]]) for c in coco.dataset["categories"]
        ],
        "all three": coco.getCatIds(
            catNms=[c["name"] for c in coco.dataset["categories"][:5]],
            supNms=[coco.dataset["categories"][0]["supercategory"]],
            catIds=categories[:3],
        ),
        "no such name": coco.getCatIds(catNms=["no such thing"]),
        "images of": [coco.getImgIds(catIds=category) for category in categories],
        "images of both": [
            coco.getImgIds(catIds=list(pair)) for pair in itertools.combinations(categories[:9], 2)
        ],
        "images of these": coco.getImgIds(imgIds=images[::2], catIds=categories[:1]),
        "of categories": coco.getAnnIds(catIds=categories[:4]),
        "larger": coco.getAnnIds(areaRng=[middle, np.inf]),
        "smaller": coco.getAnnIds(areaRng=(0, middle)),
        "at the edge": coco.getAnnIds(areaRng=[min(areas), max(areas)]),
        "crowds": [coco.getAnnIds(iscrowd=flag) for flag in (True, False, 0, 1, None)],
        "everything": coco.getAnnIds(images[::2], categories[::2], [10, 1e5], False),
    }
    return found


def _masks(coco: Any) -> list[Any]:
    annotations = coco.loadAnns(coco.getAnnIds())
    return [
        [coco.annToRLE(annotation), coco.annToMask(annotation)]
        for annotation in annotations
        if "segmentation" in annotation
    ]


def answers(coco: Any, results: dict[str, Any]) -> dict[str, Any]:
    """Everything that a set of annotations answers; `results` are lists for loadRes, by kind."""
    found = {
        "info": _printed(coco.info),
        "dataset": coco.dataset,
        # As they are now: pycocotools enters every category that it is asked for.
        "attributes": plain(
            [getattr(coco, name) for name in ("anns", "cats", "imgs", "imgToAnns", "catToImgs")]
        ),
        "queries": _queries(coco),
        "one of each": [
            coco.loadImgs(next(iter(coco.imgs))),
            coco.loadAnns(next(iter(coco.anns))),
            coco.loadCats(list(coco.cats)),
        ],
        "masks": _masks(coco),
    }
    for kind, given in results.items():
        res = coco.loadRes(given)
        found[f"results: {kind}"] = [res.dataset, _queries(res) if kind != "keypoints" else None]
        if kind in ("bbox", "segmentation", "array"):
            found[f"masks of results: {kind}"] = _masks(res)
    plainly = plain(found)
    assert isinstance(plainly, dict)
    return plainly


def results_of(coco: Any) -> dict[str, Any]:
    """Results of every kind that the annotations can be turned into."""
    annotations = coco.dataset["annotations"]
    if "caption" in annotations[0]:
        captions = [{k: a[k] for k in ("image_id", "caption")} for a in annotations[::2]]
        return {"caption": captions}
    same = [{k: a[k] for k in ("image_id", "category_id")} for a in annotations]
    scores = [{"score": 1 / (2 + place)} for place in range(len(annotations))]

    def beside(member: str) -> list[dict[str, Any]]:
        rows = zip(same, scores, annotations, strict=True)
        return [{**a, **b, member: c[member]} for a, b, c in rows if member in c]

    coded = [
        {**a, **b, "segmentation": _as_text(coco.annToRLE(c))}
        for a, b, c in zip(same, scores, annotations, strict=True)
    ]
    boxes = [[r["image_id"], *r["bbox"], r["score"], r["category_id"]] for r in beside("bbox")]
    found = {"bbox": beside("bbox"), "segmentation": coded, "array": np.array(boxes, float)}
    if "keypoints" in annotations[0]:
        found["keypoints"] = beside("keypoints")
    return found


def _as_text(rle: dict[str, Any]) -> dict[str, Any]:
    counts = rle["counts"]
    return {**rle, "counts": counts.decode() if isinstance(counts, bytes) else counts}
