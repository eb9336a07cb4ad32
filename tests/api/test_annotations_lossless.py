"""Real COCO in, a few edits over HTTP, COCO out: nothing differs but what was edited."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats.coco import rawjson
from app.models import Annotation, Image, User
from app.services.exports.exports import ExportOptions, export_file
from app.services.imports.imports import ImportOptions, import_file
from tests.api.annotation_case import seen, url
from tests.build import make_dataset, make_user
from tests.conftest import ApiClient

FILE = Path(__file__).parent.parent / "data" / "coco" / "instances.json"


class Top(msgspec.Struct):
    annotations: list[msgspec.Raw]


_TEXTS = select(Annotation.id, Annotation.record).order_by(Annotation.id)


def records(text: bytes) -> list[dict[str, str]]:
    """The members of each annotation of a file, as texts without spaces."""
    compact = msgspec.json.format(text, indent=-1)
    return [
        rawjson.members(bytes(raw)) for raw in msgspec.json.decode(compact, type=Top).annotations
    ]


@pytest.fixture
def dataset_id(session: Session) -> int:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    import_file(
        session,
        dataset_id=dataset.id,
        user_id=owner.id,
        file=io.BytesIO(FILE.read_bytes()),
        options=ImportOptions(),
    )
    session.commit()
    return dataset.id


def exported(session: Session, dataset_id: int) -> list[dict[str, str]]:
    session.commit()
    chunks = export_file(session, dataset_id=dataset_id, options=ExportOptions())
    return records(b"".join(chunks))


def listed(api: ApiClient, session: Session) -> dict[int, dict[str, Any]]:
    """Every annotation as the API shows it, by its COCO id; its members' texts under "texts"."""
    found = {}
    for image_id in session.scalars(select(Image.id)).all():
        text = api.get(f"/api/images/{image_id}/annotations?limit=500").content
        items = msgspec.json.decode(text, type=dict[str, msgspec.Raw])["items"]
        for raw in msgspec.json.decode(items, type=list[msgspec.Raw]):
            item = msgspec.json.decode(raw)
            found[item["coco_id"]] = item | {"texts": rawjson.members(bytes(raw))}
    return found


def test_real_annotations_are_shown_with_the_very_numbers_of_the_file(
    session: Session, dataset_id: int, client_for: Callable[[User], ApiClient]
) -> None:
    shown = listed(client_for(make_user(session, is_admin=True)), session)
    source = records(FILE.read_bytes())
    assert len(source) == len(shown) > 100
    for record in source:
        texts = shown[int(record["id"])]["texts"]
        for name in ("segmentation", "bbox", "area"):
            assert msgspec.json.format(texts[name], indent=-1) == record[name]


EDITS: list[tuple[dict[str, Any], set[str]]] = [
    ({"iscrowd": 1}, {"iscrowd"}),
    ({"bbox": [1.5, 2, 3, 4]}, {"bbox"}),
    ({"attributes": {"occluded": True}}, {"attributes"}),
    ({"segmentation": [[1, 1, 9, 1, 9, 9.5]]}, {"segmentation", "bbox", "area"}),
    ({"holes": [[1, 1, 2, 1, 2, 2]]}, {"segmentation", "bbox", "area"}),
]


def test_an_export_differs_only_where_somebody_edited(
    session: Session, dataset_id: int, client_for: Callable[[User], ApiClient]
) -> None:
    api = client_for(make_user(session, is_admin=True))
    source = records(FILE.read_bytes())
    assert exported(session, dataset_id) == source
    shown = [item for item in listed(api, session).values() if not item["iscrowd"]]
    for item, (fields, _) in zip(shown, EDITS, strict=False):
        answer = api.patch(url(item), json=fields, headers=seen(item))
        assert answer.status_code == 200, answer.text
    edited = {
        str(item["coco_id"]): members for item, (_, members) in zip(shown, EDITS, strict=False)
    }
    for before, after in zip(source, exported(session, dataset_id), strict=True):
        differing = {name for name in before | after if before.get(name) != after.get(name)}
        assert differing <= edited.get(before["id"], set())
        assert [name for name in after if name in before] == list(before)


def test_opening_and_saving_everything_unchanged_changes_nothing(
    session: Session, dataset_id: int, client_for: Callable[[User], ApiClient]
) -> None:
    """An editor that sends back all that it was shown, in its own number format."""
    api = client_for(make_user(session, is_admin=True))
    texts = session.execute(_TEXTS).all()
    names = ("category_id", "segmentation", "holes", "bbox", "area", "iscrowd", "keypoints",
             "attributes", "score", "caption")  # fmt: skip
    for item in listed(api, session).values():
        answer = api.patch(url(item), json={n: item[n] for n in names}, headers=seen(item))
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
    session.expire_all()
    assert session.execute(_TEXTS).all() == texts
