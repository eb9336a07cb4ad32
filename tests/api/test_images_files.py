"""The bytes of an image: its file, thumbnails and overlays."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx2 as httpx
import pytest
from obstore.store import MemoryStore
from PIL import Image as Pillow
from sqlalchemy.orm import Session

from app.api import files
from app.config import Settings
from app.context import AppContext
from app.errors import NotFound
from app.main import create_app
from app.models import Dataset, Image, User
from app.services.files.storage import ObjectStorage, blob_key
from tests.api.uploading import stored, upload
from tests.build import make_annotation, make_category, make_image
from tests.build.pictures import COCO_IMAGES, make_picture
from tests.conftest import ApiClient

ClientFor = Callable[[User], ApiClient]
CONTENT = COCO_IMAGES[0].read_bytes()


@pytest.fixture
def path(api: ApiClient, dataset: Dataset) -> str:
    """The address of an image with pixels: 427 x 640."""
    body = upload(api, dataset, [("a.jpg", CONTENT)])
    return f"/api/images/{body['images'][0]['id']}"


def picture_of(answer: httpx.Response) -> Pillow.Image:
    assert answer.status_code == 200, answer.text
    with Pillow.open(BytesIO(answer.content)) as picture:
        picture.load()
        return picture


def test_file(api: ApiClient, path: str) -> None:
    answer = api.get(f"{path}/file")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "immutable" in api.get(f"{path}/file?v=1").headers["cache-control"]


def test_an_uploaded_file_is_never_a_page(api: ApiClient, path: str) -> None:
    for what in ("file", "thumbnail", "overlay"):
        headers = api.get(f"{path}/{what}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("what", ["file", "thumbnail?size=64", "overlay?size=64"])
def test_etag(api: ApiClient, path: str, what: str) -> None:
    tag = api.get(f"{path}/{what}").headers["etag"]
    assert tag.startswith('"')
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = api.get(f"{path}/{what}", headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content) == (304, b""), sent
        assert answer.headers["etag"] == tag
    answer = api.get(f"{path}/{what}", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


SIZE = len(CONTENT)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes={SIZE - 1}-{SIZE * 9}", SIZE - 1, SIZE),
        (f"bytes=1-{10**30}", 1, SIZE),
    ],
)
def test_range(api: ApiClient, path: str, wanted: str, start: int, stop: int) -> None:
    answer = api.get(f"{path}/file", headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={10**30}-", "bytes=-0"])
def test_a_range_behind_the_end(api: ApiClient, path: str, wanted: str) -> None:
    answer = api.get(f"{path}/file", headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.json()["code"] == "range_not_satisfiable"
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "wanted", ["bytes=", "bytes=-", "bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "x"]
)
def test_a_range_that_makes_no_sense_is_ignored(api: ApiClient, path: str, wanted: str) -> None:
    answer = api.get(f"{path}/file", headers={"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_a_range_of_the_same_file_only(api: ApiClient, path: str) -> None:
    tag = api.get(f"{path}/file").headers["etag"]
    for sent, status in ((tag, 206), ('"other"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
        headers = {"Range": "bytes=0-9", "If-Range": sent}
        assert api.get(f"{path}/file", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("a.jpg", "a.jpg", "a.jpg"),
        ("train/a b.jpg", "a b.jpg", "a%20b.jpg"),
        ('x"; filename="evil.exe', "x_; filename=_evil.exe", "x%22%3B%20filename%3D%22evil.exe"),
        ("ü.jpg", "_.jpg", "%C3%BC.jpg"),
        ("a\r\nSet-Cookie: b.jpg", "a__Set-Cookie: b.jpg", "a%0D%0ASet-Cookie%3A%20b.jpg"),
        ("100%.jpg", "100_.jpg", "100%25.jpg"),
        ("\ud800.jpg", "_.jpg", "%3F.jpg"),
        ("a/", "file", "file"),
    ],
)
def test_disposition(name: str, plain: str, exact: str) -> None:
    header = files.disposition(name)
    assert header == f"inline; filename=\"{plain}\"; filename*=UTF-8''{exact}"
    header.encode("latin-1")


def test_the_name_goes_along(api: ApiClient, path: str) -> None:
    api.patch(path, json={"file_name": "Bilder/übung 😀.jpg"})
    answer = api.get(f"{path}/file")
    assert "filename*=UTF-8''%C3%BCbung%20%F0%9F%98%80.jpg" in answer.headers["content-disposition"]


def test_thumbnails(api: ApiClient, path: str, settings: Settings) -> None:
    sizes = {1: 64, 64: 64, 100: 128, 256: 256, 600: 640, 10_000: 640}
    for wanted, longest in sizes.items():
        small = picture_of(api.get(f"{path}/thumbnail?size={wanted}"))
        assert (small.format, max(small.size)) == ("JPEG", longest)
        assert abs(small.width / small.height - 427 / 640) < 0.02
    cached = list((settings.data_dir / "cache").glob("*/*/*"))
    assert len(cached) == 5
    # From now on they come from there.
    for file in cached:
        file.write_bytes(b"cached")
    assert api.get(f"{path}/thumbnail").content == b"cached"
    for wrong in ("0", "-1", "10001", "x"):
        assert api.get(f"{path}/thumbnail?size={wrong}").status_code == 422


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "RGBA"},
        {"mode": "P", "transparency": 0},
        {"mode": "I;16"},
        {"mode": "1"},
        {"kind": "JPEG", "mode": "CMYK"},
        {"kind": "TIFF", "mode": "F"},
        {"kind": "GIF", "mode": "P"},
        {"kind": "WEBP"},
        {"kind": "BMP"},
        {"size": (1, 1)},
    ],
)
def test_thumbnails_of_every_kind(
    api: ApiClient, dataset: Dataset, options: dict[str, Any]
) -> None:
    body = upload(api, dataset, [("a", make_picture(**options))])
    small = picture_of(api.get(f"/api/images/{body['images'][0]['id']}/thumbnail"))
    assert small.mode == "RGB"
    assert small.size == options.get("size", (64, 48))


def test_without_pixels(api: ApiClient, session: Session, dataset: Dataset) -> None:
    image = make_image(session, dataset=dataset, width=640, height=320)
    for what in ("file", "thumbnail"):
        answer = api.get(f"/api/images/{image.id}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_pixels")
    ground = picture_of(api.get(f"/api/images/{image.id}/overlay?size=128"))
    assert ground.size == (128, 64)
    assert ground.convert("L").getextrema()[0] == ground.convert("L").getextrema()[1]


def test_overlay(api: ApiClient, path: str, session: Session, dataset: Dataset) -> None:
    category = make_category(session, dataset=dataset, color="#ff0000")
    image = session.get_one(Image, int(path.rpartition("/")[2]))
    plain = picture_of(api.get(f"{path}/overlay?size=256"))
    empty = picture_of(api.get(f"{path}/overlay?size=256&background=none"))
    assert (empty.format, empty.mode, empty.size) == ("PNG", "RGBA", plain.size)
    assert empty.getchannel("A").getextrema() == (0, 0)
    tag = api.get(f"{path}/overlay").headers["etag"]

    square = [100, 100, 300, 100, 300, 300, 100, 300]
    make_annotation(session, image=image, category=category, segmentation=[square])
    drawn = picture_of(api.get(f"{path}/overlay?size=256"))
    layer = picture_of(api.get(f"{path}/overlay?size=256&background=none"))
    scale = drawn.width / 427
    inside = layer.getpixel((round(200 * scale), round(200 * scale)))
    assert inside == (255, 0, 0, round(0.28 * 255))
    assert layer.getpixel((round(350 * scale), round(350 * scale))) == (0, 0, 0, 0)
    box = layer.getchannel("A").getbbox()
    assert box == pytest.approx([100 * scale, 100 * scale, 300 * scale, 300 * scale], abs=2)
    assert drawn.size == plain.size

    after = api.get(f"{path}/overlay").headers["etag"]
    assert after != tag
    api.patch(f"/api/categories/{category.id}", json={"color": "#00ff00"})
    assert api.get(f"{path}/overlay").headers["etag"] != after
    assert api.get(f"{path}/overlay?background=black").status_code == 422


def test_in_object_storage(
    context: AppContext, session: Session, api: ApiClient, dataset: Dataset, settings: Settings
) -> None:
    storage = ObjectStorage(MemoryStore(), settings.data_dir / "tmp")
    elsewhere = AppContext(settings, context.engine, context.sessions, storage, context.secret_key)
    client = ApiClient(create_app(settings, elsewhere), session)
    client.headers.update(api.headers)
    image = upload(client, dataset, [("a.jpg", CONTENT)])["images"][0]
    path = f"/api/images/{image['id']}"
    assert stored(settings) == set()
    assert client.get(f"{path}/file").content == CONTENT
    part = client.get(f"{path}/file", headers={"Range": "bytes=5-9"})
    assert part.content == CONTENT[5:10]
    assert picture_of(client.get(f"{path}/thumbnail")).size == (171, 256)
    assert picture_of(client.get(f"{path}/overlay?size=256")).size == (171, 256)
    sha256 = session.get_one(Image, image["id"]).blob_sha256 or ""
    assert client.delete(path).status_code == 204
    with pytest.raises(NotFound):
        storage.size(blob_key(sha256))


def test_a_picture_for_browsers(api: ApiClient, dataset: Dataset, session: Session) -> None:
    turned = make_picture(size=(80, 40), kind="JPEG", orientation=6)
    for name, width, height in (("turned.jpg", 40, 80), ("raw.jpg", 80, 40)):
        make_image(
            session, dataset=dataset, file_name=name, width=width, height=height, record="{}"
        )
    sent = {
        "a.jpg": (CONTENT, None),
        "b.jpg": (turned, None),
        "turned.jpg": (turned, None),
        "raw.jpg": (turned, (80, 40)),
        "c.tif": (make_picture(kind="TIFF", mode="I;16"), (64, 48)),
        "d.tif": (make_picture(size=(80, 40), kind="TIFF", orientation=6), (40, 80)),
    }
    body = upload(api, dataset, [(name, content) for name, (content, _) in sent.items()])
    assert body["rejected"] == []
    for image in body["images"]:
        content, size = sent[image["file_name"]]
        answer = api.get(f"/api/images/{image['id']}/picture")
        if size is None:
            assert answer.content == content
        else:
            assert answer.headers["content-type"] == "image/png"
            shown = picture_of(answer)
            assert shown.size == size == (image["width"], image["height"])
            assert shown.getexif() == {}
        tag = {"If-None-Match": answer.headers["etag"]}
        again = api.get(f"/api/images/{image['id']}/picture", headers=tag)
        assert again.status_code == 304
        part = {"Range": "bytes=0-3"}
        first = api.get(f"/api/images/{image['id']}/picture", headers=part)
        assert (first.status_code, first.content) == (206, answer.content[:4])
