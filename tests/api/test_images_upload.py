"""Uploads of images and zips."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image as Pillow
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.context import AppContext
from app.main import create_app
from app.models import Blob, Dataset, Image, User
from app.services import turns
from app.services.datasets import counts
from app.services.files import blobs
from app.services.files.blobs import NewBlob
from app.services.files.storage import blob_key
from tests.api.uploading import Files, check_storage, codes, names, stored, upload
from tests.build import make_annotation, make_dataset, make_image, make_user
from tests.build.pictures import COCO_IMAGES, make_picture
from tests.conftest import ApiClient

ClientFor = Callable[[User], ApiClient]


@pytest.fixture(autouse=True)
def nothing_is_left_over(context: AppContext, session: Session) -> Iterator[None]:
    yield
    check_storage(context.settings, session)


def test_photographs(api: ApiClient, dataset: Dataset, session: Session) -> None:
    body = upload(api, dataset, [(path.name, path.read_bytes()) for path in COCO_IMAGES])
    assert names(body) == [path.name for path in COCO_IMAGES]
    assert body["rejected"] == []
    assert [image["coco_id"] for image in body["images"]] == list(range(1, 13))
    for image, path in zip(body["images"], COCO_IMAGES, strict=True):
        with Pillow.open(path) as picture:
            assert (image["width"], image["height"]) == picture.size
        assert image["has_file"] is True
        assert image["status"] == "new"
        assert image["subset"] == "default"
        assert api.get(f"/api/images/{image['id']}/file").content == path.read_bytes()
    assert counts.progress(session, dataset_ids=[dataset.id])[dataset.id].images == 12


def test_subset(api: ApiClient, dataset: Dataset) -> None:
    body = upload(api, dataset, [("a.png", make_picture())], subset=" val ")
    assert body["images"][0]["subset"] == "val"


def test_the_type_is_that_of_the_bytes(api: ApiClient, dataset: Dataset) -> None:
    body = upload(api, dataset, [("a.jpg", make_picture(kind="GIF", mode="P"))])
    answer = api.get(f"/api/images/{body['images'][0]['id']}/file")
    assert answer.headers["content-type"] == "image/gif"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(api: ApiClient, dataset: Dataset, orientation: int) -> None:
    picture = make_picture(size=(80, 40), kind="JPEG", orientation=orientation)
    image = upload(api, dataset, [("a.jpg", picture)])["images"][0]
    size = (40, 80) if orientation >= 5 else (80, 40)
    assert (image["width"], image["height"]) == size
    for path in ("thumbnail?size=64", "overlay?size=64"):
        answer = api.get(f"/api/images/{image['id']}/{path}")
        with Pillow.open(BytesIO(answer.content)) as small:
            assert small.size == ((32, 64) if orientation >= 5 else (64, 32))
            assert small.getexif().get(0x0112) is None


def test_names_of_any_kind(api: ApiClient, dataset: Dataset, session: Session) -> None:
    given = {
        "übung/日本 😀.png": "übung/日本 😀.png",
        "u\u0308.png": "u\u0308.png",
        'a"b%.png': 'a"b%.png',
        "a;b=c.png": "a;b=c.png",
        "Bilder\\innen\\x.png": "Bilder/innen/x.png",
        "./a//b/./c.png": "a/b/c.png",
        "<img src=x onerror=alert(1)>.png": "<img src=x onerror=alert(1)>.png",
        "no ending": "no ending",
    }
    files = [(name, make_picture(seed=number)) for number, name in enumerate(given)]
    body = upload(api, dataset, files)
    assert body["rejected"] == []
    assert names(body) == list(given.values())
    matches = session.scalars(select(Image.match_name).order_by(Image.id)).all()
    assert matches[1] == "ü.png"


def test_uploading_again_changes_nothing(api: ApiClient, dataset: Dataset) -> None:
    files = [("a.png", make_picture(seed=1)), ("x/b.png", make_picture(seed=2))]
    first = upload(api, dataset, files)
    assert upload(api, dataset, files) == first
    assert upload(api, dataset, [("b.png", files[1][1])])["images"] == first["images"][1:]
    body = upload(api, dataset, [("a.png", make_picture(seed=3))])
    assert (names(body), codes(body)) == ([], {"a.png": "name_taken"})
    twice = upload(api, dataset, [("c.png", files[0][1]), ("c.png", files[0][1])])
    assert names(twice) == ["c.png"]


def test_pixels_for_imported_records(api: ApiClient, dataset: Dataset, session: Session) -> None:
    record = '{"id": 7.0, "file_name": "train/a.png", "width": 64, "height": 48}'
    row = make_image(
        session,
        dataset=dataset,
        coco_id=7,
        file_name="train/a.png",
        width=64,
        height=48,
        record=record,
        subset="train",
        status="in_progress",
    )
    make_annotation(session, image=row)
    wrong = make_image(session, dataset=dataset, file_name="wrong.png", record="{}")
    two = [
        make_image(session, dataset=dataset, file_name=name, width=64, height=48, record="{}")
        for name in ("x/same.png", "y/same.png")
    ]
    before = row.revision
    files = [
        ("a.png", make_picture(seed=1)),
        ("wrong.png", make_picture(seed=2)),
        ("same.png", make_picture(seed=3)),
        ("new.png", make_picture(seed=5)),
    ]
    body = upload(api, dataset, files, subset="val")
    assert names(body) == ["train/a.png", "new.png"]
    assert codes(body) == {"wrong.png": "size_mismatch", "same.png": "file_name_ambiguous"}
    filled = body["images"][0]
    assert filled["id"] == row.id
    assert filled["has_file"] is True
    assert filled["revision"] > before
    assert (filled["coco_id"], filled["subset"]) == (7, "train")
    assert (filled["status"], filled["annotation_count"]) == ("in_progress", 1)
    assert session.get_one(Image, row.id, populate_existing=True).record == record
    assert session.get_one(Image, wrong.id, populate_existing=True).blob_sha256 is None
    # The same once more: everything is there already.
    again = upload(api, dataset, files[:1] + files[3:])
    assert again["images"] == body["images"]
    longer = upload(api, dataset, [("y/same.png", files[2][1])])
    assert longer["images"][0]["id"] == two[1].id


def test_a_record_in_the_sides_of_the_file(
    api: ApiClient, dataset: Dataset, session: Session
) -> None:
    """Annotations that were drawn on the rows as they stand are shown on these, not turned."""
    for name, width, height in (("turned.jpg", 40, 80), ("raw.jpg", 80, 40)):
        make_image(
            session, dataset=dataset, file_name=name, width=width, height=height, record="{}"
        )
    picture = make_picture(size=(80, 40), kind="JPEG", orientation=6)
    body = upload(api, dataset, [("turned.jpg", picture), ("raw.jpg", picture)])
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in body["images"]}
    assert sizes == {"turned.jpg": (40, 80), "raw.jpg": (80, 40)}
    for image in body["images"]:
        answer = api.get(f"/api/images/{image['id']}/thumbnail?size=64")
        with Pillow.open(BytesIO(answer.content)) as small:
            wide = image["file_name"] == "raw.jpg"
            assert small.size == ((64, 32) if wide else (32, 64))


def test_two_uploads_at_once(api: ApiClient, dataset: Dataset, session: Session) -> None:
    """Each of twenty names comes in two requests at the same time, and is one image."""
    files = [(f"{number}.png", make_picture(seed=number)) for number in range(20)]
    path = f"/api/datasets/{dataset.id}/images"
    headers = {"Authorization": api.headers["Authorization"]}
    session.commit()
    bodies = []

    def send(order: Files) -> None:
        client = ApiClient(api.app, Session(session.get_bind()))  # type: ignore[arg-type]
        parts = [("files", file) for file in order]
        bodies.append(client.post(path, files=parts, headers=headers).json())

    threads = [threading.Thread(target=send, args=(order,)) for order in (files, files[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, other = ({image["id"] for image in body["images"]} for body in bodies)
    assert one == other
    assert len(one) == 20
    found = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert found.images == 20
    ids = session.scalars(select(Image.coco_id).order_by(Image.id)).all()
    assert ids == list(range(1, 21))


def test_an_upload_waits_for_an_import(
    api: ApiClient, dataset: Dataset, context: AppContext
) -> None:
    path = f"/api/datasets/{dataset.id}"
    done = threading.Event()
    bodies = []

    def send() -> None:
        bodies.append(upload(api, dataset, [("a.png", make_picture())]))
        done.set()

    with context.sessions.begin() as other:
        assert turns.try_turn(other, dataset_id=dataset.id)
        thread = threading.Thread(target=send)
        thread.start()
        assert not done.wait(0.4)
    thread.join()
    assert names(bodies[0]) == ["a.png"]
    assert api.get(path).json()["image_count"] == 1


def test_deleting_the_last_image_removes_the_file(
    api: ApiClient, session: Session, context: AppContext
) -> None:
    owner = make_user(session, is_admin=True)
    one, other = (make_dataset(session, owner=owner) for _ in range(2))
    admin = ApiClient(api.app, session)  # type: ignore[arg-type]
    admin.headers.update(api.headers)
    session.execute(User.__table__.update().values(is_admin=True))  # type: ignore[attr-defined]
    picture = make_picture()
    first, second = (
        upload(admin, dataset, [("a.png", picture)])["images"][0] for dataset in (one, other)
    )
    admin.get(f"/api/images/{first['id']}/thumbnail")
    assert len(stored(context.settings)) == 1
    admin.delete(f"/api/images/{first['id']}")
    assert len(stored(context.settings)) == 1
    assert admin.get(f"/api/images/{second['id']}/thumbnail").status_code == 200
    admin.delete(f"/api/images/{second['id']}")
    assert stored(context.settings) == set()
    assert list((context.settings.data_dir / "cache").glob("*/*")) == []
    assert upload(admin, one, [("a.png", picture)])["images"][0]["has_file"]


def test_deleting_a_dataset_removes_its_files(
    api: ApiClient, dataset: Dataset, settings: Settings, session: Session, owner: User
) -> None:
    other = make_dataset(session, owner=owner)
    files = [(f"{number}.png", make_picture(seed=number)) for number in range(3)]
    upload(api, dataset, files)
    upload(api, other, files[:1])
    assert len(stored(settings)) == 3
    assert api.delete(f"/api/datasets/{dataset.id}").status_code == 204
    assert len(stored(settings)) == 1


def test_what_a_killed_process_left_is_removed_at_the_start(
    context: AppContext, session: Session
) -> None:
    """It had noted the file and moved it in, and died before its images were committed."""
    content = b"left over"
    sha256 = hashlib.sha256(content).hexdigest()
    path = context.storage.scratch.draft()
    path.write_bytes(content)
    with context.sessions.begin() as died:
        blobs.note(died, files=[NewBlob(path, sha256, len(content), "image/png")])
    context.storage.put(blob_key(sha256), path)
    assert stored(context.settings) == {sha256}
    with ApiClient(create_app(context.settings, context), session):
        until = time.monotonic() + 60
        # The file goes first, and its row with the commit.
        while _has_rows(context) and time.monotonic() < until:
            time.sleep(0.01)
    assert stored(context.settings) == set()


def _has_rows(context: AppContext) -> bool:
    with context.sessions.begin() as own:
        return own.scalar(select(Blob.sha256)) is not None


def test_uploads_and_deletions_of_the_same_content(
    api: ApiClient, session: Session, owner: User
) -> None:
    """However they fall together, an image that is there has its file."""
    datasets = [make_dataset(session, owner=owner).id for _ in range(2)]
    session.commit()
    picture, lost = make_picture(), []

    def work(dataset_id: int) -> None:
        client = ApiClient(api.app, Session(session.get_bind()))  # type: ignore[arg-type]
        client.headers.update(api.headers)
        for number in range(12):
            files = {"files": (f"{number}.png", picture)}
            answer = client.post(f"/api/datasets/{dataset_id}/images", files=files)
            path = f"/api/images/{answer.json()['images'][0]['id']}"
            if client.get(f"{path}/file").content != picture:
                lost.append(path)
            client.delete(path)

    threads = [threading.Thread(target=work, args=(key,)) for key in datasets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
