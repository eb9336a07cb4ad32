"""The class `COCO`: a set of annotations with pycocotools' methods.

Method, argument and attribute names are pycocotools', and so are the results, order included.
Nothing is printed but by `info` and by `showAnns` of captions.
"""

import io
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app import masks
from app.client import drawing, pixels, results
from app.client.ahead import Ahead
from app.client.errors import BadFile, BadGeometry, BadResults, ClientError, UnknownId
from app.client.index import Index, Record, records
from app.client.server import RemoteDataset, is_address, save_from_web
from app.formats.coco import rawjson, values
from app.formats.coco.encoding import as_utf8
from app.formats.records import FileError

__all__ = ["COCO"]


class COCO:
    """A COCO file, or a dataset on a running server, with its queries.

    Parameters
    ----------
    annotation_file : the name of a COCO file, the address of a dataset
        (``http://localhost:8000/datasets/3``), or a COCO object; none for an empty one
    server, dataset : the address of a server and a dataset's name or id, instead
    token : an API token; $MASKWRIGHT_TOKEN unless given
    task, subset, status : what to take of a dataset on a server: its instances, captions, ...; only
        images of this subset (train, val); only images with this status (done)

    A dataset on a server is fetched once and whole, as it is in that moment; open it again to see
    what changed since.

    Attributes
    ----------
    dataset : the COCO object; after changing it, call `createIndex`
    anns, cats, imgs : annotation, category and image by id
    imgToAnns : the annotations of an image, by its id
    catToImgs : for each annotation of a category its image's id, by the category's id

    Raises
    ------
    BadFile, ServerError, OSError

    >>> coco = COCO({
    ...     "images": [{"id": 7, "width": 4, "height": 3}],
    ...     "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}],
    ...     "annotations": [{"id": 5, "image_id": 7, "category_id": 1, "iscrowd": 0, "area": 4,
    ...                      "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]}],
    ... })
    >>> coco.getAnnIds(catIds=coco.getCatIds(supNms="animal"), areaRng=[1, 100])
    [5]
    >>> coco.annToMask(coco.loadAnns(5)[0]).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
    """

    def __init__(
        self,
        annotation_file: str | Path | Mapping[str, Any] | None = None,
        *,
        server: str | None = None,
        dataset: int | str | None = None,
        token: str | None = None,
        task: str | None = None,
        subset: str | None = None,
        status: str | None = None,
    ) -> None:
        self._remote: RemoteDataset | None = None
        if (server is None) != (dataset is None) or (server is not None and annotation_file):
            raise TypeError("Name a file or address, or both a server and a dataset.")
        if server is not None and dataset is not None:
            self._remote = RemoteDataset(server, dataset, token)
        elif isinstance(annotation_file, str) and is_address(annotation_file):
            self._remote = RemoteDataset.at(annotation_file, token)
        elif token or task or subset or status:
            raise TypeError("token, task, subset and status are for datasets on a server.")
        self.dataset: dict[str, Any] = {}
        if self._remote is not None:
            task = task or "instances"
            self.dataset = self._remote.load(task=task, subset=subset, status=status)
        elif isinstance(annotation_file, Mapping):
            self.dataset = dict(annotation_file)
        elif annotation_file is not None:
            self.dataset = _read_object(Path(annotation_file))
        self.createIndex()

    def createIndex(self) -> None:
        """Look at `dataset` anew, after records were added or taken away."""
        index = Index.of(self.dataset)
        self.anns, self.cats, self.imgs = index.anns, index.cats, index.imgs
        self.imgToAnns: defaultdict[Any, list[Record]] = index.img_to_anns
        self.catToImgs: defaultdict[Any, list[Any]] = index.cat_to_imgs
        self._ahead = Ahead()

    def info(self) -> None:
        """Print what the file says about itself."""
        about = self.dataset.get("info")
        for key, value in about.items() if isinstance(about, dict) else ():
            sys.stdout.write(f"{key}: {value}\n")

    # Ids by conditions ----------------------------------------------------------------------------

    def getAnnIds(
        self,
        imgIds: Any = (),
        catIds: Any = (),
        areaRng: Any = (),
        iscrowd: bool | int | None = None,
    ) -> list[Any]:
        """Ids of the annotations of any of these images and any of these categories.

        `areaRng` is a lowest and a highest area in pixels, neither included. One id may stand for
        a list of one; an empty list, or None for `iscrowd`, is no condition. An annotation without
        `area` is measured, one without `iscrowd` is no crowd, and one without an id is left out.
        """
        images, categories, areas = _listed(imgIds), set(_listed(catIds)), _listed(areaRng)
        found: Iterable[Record]
        if images:
            found = [a for image in images for a in self.imgToAnns.get(image, ())]
        else:
            found = records(self.dataset, "annotations")
        if categories:
            found = [a for a in found if _get(a, "category_id") in categories]
        if areas:
            lowest, highest = areas
            found = [a for a in found if lowest < self._area(a) < highest]
        if iscrowd is not None:
            found = [a for a in found if pixels.is_crowd(a) == iscrowd]
        return [a["id"] for a in found if "id" in a]

    def getCatIds(self, catNms: Any = (), supNms: Any = (), catIds: Any = ()) -> list[Any]:
        """Ids of the categories with any of these names, supercategories and ids."""
        wanted = {"name": _listed(catNms), "supercategory": _listed(supNms), "id": _listed(catIds)}
        conditions = [(member, set(these)) for member, these in wanted.items() if these]
        return [
            category["id"]
            for category in records(self.dataset, "categories")
            if "id" in category and all(_get(category, m) in these for m, these in conditions)
        ]

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[Any]:
        """Those of these ids whose images have annotations of all of these categories.

        Without conditions, all ids in the order of the file; otherwise in no particular order.
        """
        images, categories = _listed(imgIds), _listed(catIds)
        if not images and not categories:
            return list(self.imgs)
        with_each = [set(self.catToImgs.get(category, ())) for category in categories]
        found = set(images) if images else with_each.pop(0)
        for members in with_each:
            found &= members
        return list(found)

    def _area(self, annotation: Record) -> float:
        given = values.finite(annotation.get("area"))
        if given is not None:
            return given
        image = self.imgs.get(_get(annotation, "image_id"))
        try:
            return float(masks.area(pixels.of(annotation, image))[0])
        except BadGeometry:
            # No number lies between others that it cannot be compared with.
            return math.nan

    # Records by ids -------------------------------------------------------------------------------

    def loadAnns(self, ids: Any = ()) -> list[Record]:
        """The annotations with these ids, or with this one; UnknownId when one is not there."""
        found = _load(self.anns, ids, "annotation")
        self._ahead.expect(found[:])
        return found

    def loadCats(self, ids: Any = ()) -> list[Record]:
        """The categories with these ids, or with this one; UnknownId when one is not there."""
        return _load(self.cats, ids, "category")

    def loadImgs(self, ids: Any = ()) -> list[Record]:
        """The images with these ids, or with this one; UnknownId when one is not there."""
        return _load(self.imgs, ids, "image")

    # Results --------------------------------------------------------------------------------------

    def loadRes(self, resFile: Any) -> "COCO":
        """Results of a model on these images, as a COCO object of its own.

        `resFile` is a file, a list of results or an array (N, 7) of image id, x, y, width, height,
        score and category id. `app.client.results` says what is derived from each kind. Nothing
        that is given is changed, and a server learns nothing of it.

        Raises BadResults for images that are not here, and for what is no list of results.
        """
        given = _read_json(Path(resFile)) if isinstance(resFile, str | Path) else resFile
        annotations = results.derive(_result_list(given), self.imgs)
        images = records(self.dataset, "images")
        captions = bool(annotations) and all("caption" in a for a in annotations)
        if captions:
            named = {annotation["image_id"] for annotation in annotations}
            images = [image for image in images if _get(image, "id") in named]
        found = COCO()
        found.dataset = {"info": deepcopy(self.dataset.get("info", {})), "images": images}
        if not captions and "categories" in self.dataset:
            found.dataset["categories"] = deepcopy(self.dataset["categories"])
        found.dataset["annotations"] = annotations
        found.createIndex()
        return found

    def upload_results(self, resFile: Any, name: str | None = None) -> dict[str, Any]:
        """Import results into the dataset on the server, as predictions that people decide about.

        `resFile` is as for `loadRes`; a file goes as it is. `name` is the model's or the run's,
        the file's name unless given: results that were uploaded under the same name before become
        these. Returns the import's report: how many came in, and which were left out and why.

        Raises ClientError for a COCO object that is of no server, ServerError for what the server
        refuses, and BadResults when nothing could be imported.
        """
        if self._remote is None:
            raise ClientError("Results can be uploaded to a dataset on a server only.")
        if isinstance(resFile, str | Path):
            with Path(resFile).open("rb") as file:
                return self._remote.import_results(file, file_name=Path(resFile).name, name=name)
        text = json.dumps(_result_list(resFile), default=_plain)
        return self._remote.import_results(
            io.BytesIO(text.encode()), file_name="results.json", name=name
        )

    def loadNumpyAnnotations(self, data: Any) -> list[Record]:
        """Results in an array (N, 7), see `loadRes`, as a list of objects."""
        return results.from_array(data)

    # Masks ----------------------------------------------------------------------------------------

    def annToRLE(self, ann: Record) -> dict[str, Any]:
        """The annotation's mask as ``{"size": [height, width], "counts": bytes}``.

        An annotation that has a compressed RLE already answers with that very object. One that is
        nothing but a box covers its box. BadGeometry for what has no mask.
        """
        rle = self._ahead.draw(ann, self.imgs).rle
        stored: Any = ann.get("segmentation")
        is_coded = isinstance(stored, dict) and isinstance(stored.get("counts"), str | bytes)
        # As it is written, if not in the usual way; only what nobody could read is mended.
        if is_coded and (stored["counts"] == rle["counts"] or pixels.is_sound(stored)):
            coded: dict[str, Any] = stored
            return coded
        return {"size": rle["size"], "counts": rle["counts"].encode()}

    def annToMask(self, ann: Record) -> npt.NDArray[np.uint8]:
        """The annotation's mask, (height, width) uint8 of 0 and 1 in column order."""
        return masks.decode(self._ahead.draw(ann, self.imgs).mask)[0]

    def showAnns(self, anns: Iterable[Record], draw_bbox: bool = False) -> None:
        """Draw annotations on matplotlib's current axes; print captions.

        Raises ImportError where matplotlib, which is not needed otherwise, is not installed.
        """
        drawing.show(list(anns), coco=self, draw_bbox=draw_bbox)

    # Files ----------------------------------------------------------------------------------------

    def download(self, tarDir: str | Path | None = None, imgIds: Any = ()) -> None:
        """Save the files of these images, or of all, in a folder, under their `file_name`.

        From the server where the dataset was opened on one and has the file, else from `coco_url`.
        What is there already is left alone. A name never leads out of the folder.
        """
        if tarDir is None:
            raise ClientError("Name a folder to save the images in: tarDir.")
        wanted = self.loadImgs(imgIds) if _listed(imgIds) else list(self.imgs.values())
        targets = [(image, _target(Path(tarDir), image)) for image in wanted]
        missing = [(image, path) for image, path in targets if not path.exists()]
        on_server: dict[Any, int] = {}
        if self._remote is not None and missing:
            every = not _listed(imgIds)
            known = self._remote.images(None if every else [image["id"] for image, _ in missing])
            on_server = {image["coco_id"]: image["id"] for image in known if image["has_file"]}
        for image, path in missing:
            if self._remote is not None and image["id"] in on_server:
                self._remote.save_file(on_server[image["id"]], path)
            elif isinstance(image.get("coco_url"), str):
                save_from_web(image["coco_url"], path)
            else:
                raise ClientError(f"Nothing says where the file of image {image['id']!r} is.")


def _listed(value: Any) -> list[Any]:
    """A list of ids or names; a single one, texts included, is a list of one."""
    if isinstance(value, str):
        return [value] if value else []
    return list(value) if hasattr(value, "__iter__") else [value]


def _get(record: Record, member: str) -> Any:
    """A member that ids or names are compared with; None where nothing could be equal to it."""
    value = record.get(member)
    return None if isinstance(value, list | dict) else value


def _load(found: Mapping[Any, Record], ids: Any, kind: str) -> list[Record]:
    try:
        return [found[one] for one in _listed(ids)]
    except KeyError as error:
        raise UnknownId(f"There is no {kind} with the id {error.args[0]!r}.") from None


def _target(folder: Path, image: Record) -> Path:
    name = values.match_name(str(image.get("file_name") or image["id"]))
    return folder / (name or str(image["id"]))


def _read_object(path: Path) -> dict[str, Any]:
    found = _read_json(path)
    if not isinstance(found, dict):
        raise BadFile(
            f"{path} is not an object with images, annotations and categories. A list of results "
            "is opened with loadRes.",
            "top_level",
        )
    return found


def _result_list(given: Any) -> Sequence[Any]:
    """Results in an array or a list, as a list."""
    listed = results.from_array(given) if isinstance(given, np.ndarray) else given
    if not isinstance(listed, list | tuple):
        raise BadResults("Results are a list of objects.")
    return listed


def _plain(value: Any) -> Any:
    """What JSON can write of NumPy's numbers and arrays, and of counts that are bytes."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise BadResults(f"A result holds {type(value).__name__}, which JSON cannot write.")


def _read_json(path: Path) -> Any:
    try:
        with path.open("rb") as file, as_utf8(file) as text:
            return rawjson.decode(text.read())
    except FileError as error:
        raise BadFile(f"{path}: {error.detail}", error.code) from None
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not JSON: {error}", "json_malformed") from None
