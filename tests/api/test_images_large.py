"""Images that are decoded by a process of their own; here, all of them are."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, BinaryIO

import pytest
from PIL import Image as Pillow
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.config import Settings
from app.context import AppContext
from app.main import create_app
from app.models import CachedFile, Dataset
from app.services.pictures import pixels
from app.services.pictures.cache import Cache
from app.services.pictures.decoding import Decoder
from tests.api.uploading import check_storage, codes, names, upload
from tests.build import make_image
from tests.build.pictures import COCO_IMAGES, make_picture
from tests.conftest import ApiClient
from tests.services.pictures.test_decoding import interlaced


@pytest.fixture(autouse=True)
def nothing_is_left_over(context: AppContext, session: Session) -> Iterator[None]:
    yield
    check_storage(context.settings, session)


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the process was started, by commands."""
    monkeypatch.setattr(pixels, "LARGE_BYTES", 0)
    found: Counter[str] = Counter()
    run = Decoder.run

    def counted(self: Decoder, command: Any, *args: Any, **more: Any) -> None:
        found[command] += 1
        run(self, command, *args, **more)

    monkeypatch.setattr(Decoder, "run", counted)
    return found


def test_uploads(api: ApiClient, dataset: Dataset, settings: Settings, runs: Counter[str]) -> None:
    settings.decoder_memory_mb = 1100
    photograph = COCO_IMAGES[0].read_bytes()
    tiff = make_picture(kind="TIFF", compression="tiff_lzw")
    body = upload(
        api,
        dataset,
        [
            ("a.png", make_picture()),
            ("a.tif", tiff),
            ("a.bmp", make_picture(kind="BMP")),
            ("a.jpg", photograph),
            ("cut.png", make_picture()[:-40]),
            ("cut.tif", make_picture(kind="TIFF")[:-700]),
            ("cut.bmp", make_picture(kind="BMP")[:-100]),
            ("cut.jpg", photograph[: len(photograph) // 2]),
            ("greedy.png", interlaced(20_000, 20_000, is_sound=False)),
            ("page.png", b"<!doctype html>"),
        ],
    )
    assert names(body) == ["a.png", "a.tif", "a.bmp", "a.jpg"]
    assert codes(body) == {
        "cut.png": "image_damaged",
        "cut.tif": "image_damaged",
        "cut.bmp": "image_damaged",
        "cut.jpg": "image_damaged",
        "greedy.png": "image_too_large",
        "page.png": "not_an_image",
    }
    (greedy,) = (file for file in body["rejected"] if file["file_name"] == "greedy.png")
    assert "memory" in greedy["message"]
    # A bitmap is as long as it says, or it is not.
    assert runs == {"check": 8}


def test_thumbnails_are_made_from_one(api: ApiClient, dataset: Dataset, runs: Counter[str]) -> None:
    content = make_picture(size=(3000, 1200), orientation=6)
    image = upload(api, dataset, [("a.png", content)])["images"][0]
    for what in ("thumbnail", "overlay"):
        for size in (64, 256, 2048, 1024):
            answer = api.get(f"/api/images/{image['id']}/{what}?size={size}")
            assert answer.headers["content-type"] == "image/jpeg"
            with Pillow.open(BytesIO(answer.content)) as picture:
                assert picture.height == size
                assert abs(picture.width - size * 0.4) < 1
                corner = picture.convert("RGB").getpixel((2, size // 2))
    wanted = pixels.shown(BytesIO(content), box=1024, orientation=6)
    assert corner == pytest.approx(wanted.getpixel((2, 512)), abs=12)
    assert runs == {"check": 1, "shrink": 1}
    api.delete(f"/api/images/{image['id']}")


def test_progressive_jpegs_are_large_sooner(
    api: ApiClient,
    dataset: Dataset,
    settings: Settings,
    runs: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two bytes a pixel are few for a camera's; whether it is one is looked up once."""
    looks, is_progressive = list[bool](), pixels.is_progressive

    def noted(file: BinaryIO) -> bool:
        looks.append(is_progressive(file))
        return looks[-1]

    monkeypatch.setattr(pixels, "is_progressive", noted)
    monkeypatch.setattr(pixels, "LARGE_BYTES", 300 * 120 * 3)
    kinds = {"camera.jpg": False, "web.jpg": True}
    for number, (name, progressive) in enumerate(kinds.items(), start=1):
        content = make_picture(size=(300, 120), kind="JPEG", progressive=progressive)
        image = upload(api, dataset, [(name, content)])["images"][0]
        for size in (128, 2048, 64):
            answer = api.get(f"/api/images/{image['id']}/thumbnail?size={size}")
            with Pillow.open(BytesIO(answer.content)) as picture:
                assert picture.width == min(size, 300)
        # It is not asked for a small one that is there.
        for note in (settings.data_dir / "cache").glob("*/*/progressive"):
            note.unlink()
        assert api.get(f"/api/images/{image['id']}/thumbnail?size=64").status_code == 200
        assert (runs["shrink"], len(looks)) == (int(progressive), number)
    assert looks == [False, True]
    small = make_picture(size=(90, 60), kind="JPEG", progressive=True)
    image = upload(api, dataset, [("small.jpg", small)])["images"][0]
    assert api.get(f"/api/images/{image['id']}/thumbnail").status_code == 200
    assert (runs["shrink"], len(looks)) == (1, 2)


def test_a_whole_picture(
    api: ApiClient, dataset: Dataset, runs: Counter[str], settings: Settings
) -> None:
    content = make_picture(size=(300, 120), kind="TIFF")
    image = upload(api, dataset, [("a.tif", content)])["images"][0]
    path = f"/api/images/{image['id']}/picture"
    for _ in range(2):
        answer = api.get(path)
        assert answer.headers["content-type"] == "image/png"
        with Pillow.open(BytesIO(answer.content)) as picture:
            shown = pixels.shown(BytesIO(content), box=None, orientation=1)
            assert picture.convert("RGB").tobytes() == shown.tobytes()
    known = api.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304
    assert runs == {"check": 1, "convert": 1}
    # What is there counts towards the limit, and is made again when somebody emptied the cache.
    for file in (settings.data_dir / "cache").glob("*/*/picture*"):
        file.unlink()
    assert api.get(path).content == answer.content
    assert runs["convert"] == 2
    # So it is when the image went, and the same file came again at once.
    assert api.delete(f"/api/images/{image['id']}").status_code == 204
    image = upload(api, dataset, [("a.tif", content)])["images"][0]
    assert api.get(f"/api/images/{image['id']}/picture").content == answer.content
    assert runs["convert"] == 3


def test_thumbnails_of_an_emptied_cache(
    api: ApiClient, dataset: Dataset, runs: Counter[str], settings: Settings
) -> None:
    image = upload(api, dataset, [("a.png", make_picture(size=(300, 120)))])["images"][0]
    for number, what in enumerate(("thumbnail", "overlay", "thumbnail"), start=1):
        for size in (64, 128, 2048):
            assert api.get(f"/api/images/{image['id']}/{what}?size={size}").status_code == 200
        assert runs["shrink"] == number
        for file in (settings.data_dir / "cache").glob("*/*/thumbnail*"):
            file.unlink()


def test_a_picture_that_cannot_be_kept(
    api: ApiClient, dataset: Dataset, runs: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone as soon as it is there; the trouble is told, and over when its cause is."""
    image = upload(api, dataset, [("a.png", make_picture(size=(300, 120)))])["images"][0]
    path = f"/api/images/{image['id']}/thumbnail?size=2048"
    with monkeypatch.context() as patch:
        patch.setattr(Cache, "keep", lambda *_: None)
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "picture_unavailable")
        assert runs["shrink"] == 2
    assert api.get(path).status_code == 200


def test_the_largest_thumbnail_is_in_use_while_it_is_read(
    api: ApiClient, dataset: Dataset, context: AppContext, session: Session
) -> None:
    image = upload(api, dataset, [("a.png", make_picture(size=(300, 120)))])["images"][0]
    path = f"/api/images/{image['id']}/thumbnail?size=2048"
    assert api.get(path).status_code == 200
    session.execute(update(CachedFile).values(used_at=CachedFile.used_at - timedelta(hours=1)))
    session.commit()
    # Another server sends it.
    other = create_app(context.settings, context)
    client = ApiClient(other, session)
    client.headers.update(api.headers)
    assert client.get(path).status_code == 200
    other.state.tiles.close()
    other.state.large_pictures.close()
    assert Cache(context.sessions, context.storage, most_mb=0).make_room() == 0


def test_a_file_that_cannot_be_shown(
    api: ApiClient, dataset: Dataset, settings: Settings, runs: Counter[str]
) -> None:
    """It was taken in, and its bytes are not what they were."""
    image = upload(api, dataset, [("a.png", make_picture())])["images"][0]
    (file,) = (settings.data_dir / "blobs").glob("*/*")
    file.write_bytes(file.read_bytes()[:-60])
    for _ in range(2):
        answer = api.get(f"/api/images/{image['id']}/thumbnail")
        assert (answer.status_code, answer.json()["code"]) == (422, "image_damaged")
    # The second time it was told what is known.
    assert runs["shrink"] == 1


def test_an_image_without_pixels(api: ApiClient, dataset: Dataset, session: Session) -> None:
    image = make_image(session, dataset=dataset, width=30_000, height=30_000)
    path = f"/api/images/{image.id}"
    assert api.get(f"{path}/overlay?size=64").status_code == 200
    for what in ("thumbnail", "picture"):
        answer = api.get(f"{path}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_pixels")
