"""The commands, as processes: what they print, how they end, and what they leave behind."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image as Picture
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from app import cli, demo
from app.context import AppContext
from app.models import Annotation, Dataset, Image, PredictionSet
from app.services import users
from app.services.datasets import datasets
from tests.build import make_dataset, make_image, make_user
from tests.running import MASKWRIGHT, maskwright

COCO = Path(__file__).parent / "data" / "coco"


# Calling it


def test_help_names_every_command() -> None:
    shown = subprocess.run(
        [MASKWRIGHT, "--help"], capture_output=True, text=True, check=True
    ).stdout
    for name, command in cli.cli.commands.items():
        assert command.hidden or re.search(rf"^  {name}  ", shown, re.MULTILINE), name


@pytest.mark.parametrize("name", [name for name, command in cli.cli.commands.items()])
def test_each_command_explains_itself(name: str) -> None:
    shown = subprocess.run([MASKWRIGHT, name, "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith(f"Usage: maskwright {name}")
    assert shown.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "http"],
        ["user", "add"],
        ["token", "create"],
        ["serve", "--nonsense"],
    ],
)
def test_a_wrong_call_is_told_in_one_sentence_with_exit_code_2(
    arguments: list[str], tmp_path: Path
) -> None:
    done = maskwright(tmp_path / "data", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"maskwright: [^\n]+\n", done.stderr)
    assert not (tmp_path / "data").exists()


def test_without_a_command_it_explains_itself() -> None:
    done = subprocess.run([MASKWRIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: maskwright")


# In this process: quicker, and the database is the one that all tests share.


class Call(Protocol):
    """Runs one command; returns exit code, stdout and stderr."""

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]: ...


@pytest.fixture
def call(
    context: AppContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    for name in [name for name in os.environ if name.startswith("MASKWRIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKWRIGHT_DATA_DIR", str(context.settings.data_dir))
    monkeypatch.setenv("MASKWRIGHT_DATABASE_URL", str(context.settings.database_url))

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = cli.run(list(arguments))
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "many", "MASKWRIGHT_PORT is not right: Input should be a valid integer"),
        ("DATABASE_URL", "mysql://a/b", "MASKWRIGHT_DATABASE_URL is not right: only PostgreSQL"),
        ("DATABASE_URL", "postgresql://u@127.0.0.1:1/x", "The database refused: connection"),
        ("DATA_DIR", "/dev/null/data", "cannot be used: Not a directory."),
        ("POSTGRES_BIN", "/nowhere", "There is no PostgreSQL that runs in /nowhere."),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence_with_exit_code_1(
    name: str, value: str, said: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASKWRIGHT_DATABASE_URL")
    monkeypatch.setenv(f"MASKWRIGHT_{name}", value)
    code, out, error = call("user", "list")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"maskwright: [^\n]+\n", error)
    assert said in error


def test_settings_may_stand_in_a_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MASKWRIGHT_PORT=from the file\n")
    code, _, error = call("user", "list")
    assert (code, "MASKWRIGHT_PORT is not right" in error) == (1, True)


def test_accounts_are_made_listed_shut_out_and_let_in(call: Call) -> None:
    add = ("user", "add", "Ann@example.org", "--admin", "--name", "Ann", "--password-stdin")
    assert call(*add, stdin="a good password\n") == (0, "", "")
    assert call("user", "list") == (0, "Ann@example.org\tadmin\tactive\tAnn\n", "")
    assert call("user", "disable", "ann@example.org") == (0, "", "")
    assert call("user", "list") == (0, "Ann@example.org\tadmin\tdisabled\tAnn\n", "")
    assert call("user", "enable", "ann@example.org") == (0, "", "")
    assert call("user", "list") == (0, "Ann@example.org\tadmin\tactive\tAnn\n", "")


def test_a_password_from_stdin_is_the_one_that_signs_in(call: Call, session: Session) -> None:
    call("user", "add", "ann@example.org", "--password-stdin", stdin=" with spaces \r\nmore\n")
    users.authenticate(session, email="ann@example.org", password=" with spaces ")
    session.rollback()
    call("user", "password", "ann@example.org", "--password-stdin", stdin="another one")
    users.authenticate(session, email="ann@example.org", password="another one")


def test_a_password_is_made_up_when_there_is_nobody_to_ask(call: Call, session: Session) -> None:
    for command in ("add", "password"):
        _, said, _ = call("user", command, "bob@example.org")
        found = re.fullmatch(r"bob@example.org signs in with password (\S{8,})\n", said)
        assert found is not None
        users.authenticate(session, email="bob@example.org", password=found[1])
        session.rollback()


def test_a_token_is_printed_and_nothing_else(call: Call, session: Session) -> None:
    call("user", "add", "ann@example.org")
    code, said, error = call("token", "create", "--email", "ANN@example.org", "--name", "ci")
    assert (code, error) == (0, "")
    assert re.fullmatch(r"\S+\n", said)
    owner = users.user_by_email(session, email="ann@example.org")
    assert [token.name for token in users.list_tokens(session, user=owner)] == ["ci"]
    assert users.user_of_token(session, token=said.strip()) is not None
    call("user", "disable", "ann@example.org")
    code, said, error = call("token", "create", "--email", "ann@example.org")
    assert (code, said) == (1, "")
    assert error == "maskwright: The account ann@example.org is disabled: enable it first.\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        ("user add eve --password-stdin", "long enough\n", "not an e-mail address"),
        ("user add eve@example.org --password-stdin", "short\n", "A password has 8 to"),
        ("user add eve@example.org --password-stdin", "", "A password has 8 to"),
        ("user disable eve@example.org", "", "There is no user eve@example.org."),
        ("user enable eve@example.org", "", "There is no user eve@example.org."),
        ("user password eve@example.org", "", "There is no user eve@example.org."),
        ("token create --email eve@example.org", "", "There is no user eve@example.org."),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(
    arguments: str, stdin: str, said: str, call: Call
) -> None:
    code, out, error = call(*arguments.split(), stdin=stdin)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"maskwright: [^\n]+\n", error)
    assert said in error
    assert call("user", "list") == (0, "", "")


# Import, export, check


@pytest.fixture
def dataset(session: Session) -> Dataset:
    owner = make_user(session, email="owner@example.org", is_admin=True)
    return make_dataset(session, owner=owner, name="Street scenes")


def test_what_is_imported_is_exported_equal(call: Call, dataset: Dataset, tmp_path: Path) -> None:
    code, said, error = call(
        "import", "Street scenes", str(COCO / "instances.json"), "--images", str(COCO / "images")
    )
    assert (code, error) == (0, "")
    assert "  images: 12 created, 0 updated, 0 unchanged\n" in said
    assert "  annotations: 117 created, 0 updated, 0 unchanged, 0 rejected\n" in said
    assert "  images: 12 taken in, 0 rejected\n" in said
    assert call("export", str(dataset.id), "-o", "out.json") == (0, "", "")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written == json.loads((COCO / "instances.json").read_text())
    assert list(tmp_path.glob("*.part")) == []


def test_an_export_can_be_a_part_of_it(call: Call, dataset: Dataset, tmp_path: Path) -> None:
    call("import", "Street scenes", str(COCO / "instances.json"))
    call("export", "Street scenes", "-o", "out.json", "--category", "person", "--ids", "reindex")
    written = json.loads((tmp_path / "out.json").read_text())
    assert [category["name"] for category in written["categories"]] == ["person"]
    assert [image["id"] for image in written["images"]] == [*range(1, len(written["images"]) + 1)]
    assert {note["category_id"] for note in written["annotations"]} == {1}


def test_an_export_can_be_a_zip(call: Call, dataset: Dataset, tmp_path: Path) -> None:
    call("import", "Street scenes", str(COCO / "instances.json"), "--images", str(COCO / "images"))
    options = "--images --tasks instances,image_info --segmentation mask --no-attributes"
    assert call("export", "Street scenes", "-o", "out.zip", *options.split()) == (0, "", "")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = archive.namelist()
        written = json.loads(archive.read("annotations/instances_default.json"))
    assert len([name for name in names if name.startswith("images/default/")]) == 12
    assert "annotations/image_info_default.json" in names
    assert all(note["iscrowd"] == 1 for note in written["annotations"] if note["segmentation"])


def test_a_zip_goes_there_and_back(call: Call, dataset: Dataset, tmp_path: Path) -> None:
    """Each file is told by itself, and issues name theirs."""
    call("import", "Street scenes", str(COCO / "instances.json"), "--images", str(COCO / "images"))
    call("export", "Street scenes", "-o", "out.zip", "--images", "--tasks", "instances,image_info")
    with zipfile.ZipFile(tmp_path / "out.zip", "a") as archive:
        archive.writestr("README.md", "about it")
    code, said, error = call("import", "Copy", "out.zip", "--create")
    assert (code, error) == (0, "")
    assert "  annotations/instances_default.json: instances, annotations: 117 created, " in said
    assert "  annotations/image_info_default.json: image_info, annotations: 0 created, " in said
    assert "  images: 12 created, 0 updated, 12 unchanged\n" in said
    assert "  pictures: 0 created, 12 updated, 0 unchanged, 0 rejected\n" in said
    assert "  info file_ignored README.md: " in said
    call("export", "Copy", "-o", "copy.zip", "--images", "--tasks", "instances,image_info")
    with (
        zipfile.ZipFile(tmp_path / "out.zip") as one,
        zipfile.ZipFile(tmp_path / "copy.zip") as two,
    ):
        assert [*two.namelist(), "README.md"] == one.namelist()
        assert all(one.read(name) == two.read(name) for name in two.namelist())


def test_tasks_and_subsets_are_told_by_the_files(
    call: Call, dataset: Dataset, session: Session, tmp_path: Path
) -> None:
    captions = json.loads((COCO / "instances.json").read_text())
    del captions["categories"]
    image = captions["images"][0]["id"]
    captions["annotations"] = [{"image_id": image, "id": 7, "caption": "Two boats. "}]
    (tmp_path / "captions_val2017.json").write_text(json.dumps(captions))
    code, said, _ = call("import", "Street scenes", "captions_val2017.json")
    assert code == 0
    assert "  task: captions\n" in said
    assert set(session.scalars(select(Image.subset))) == {"val2017"}
    assert call("export", "Street scenes", "-o", "out.json", "--task", "captions")[0] == 0
    assert json.loads((tmp_path / "out.json").read_text()) == captions


def test_importing_results(call: Call, dataset: Dataset, session: Session, tmp_path: Path) -> None:
    call("import", "Street scenes", str(COCO / "instances.json"))
    image = json.loads((COCO / "instances.json").read_text())["images"][0]["id"]
    found = [{"image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in (image, -1)]
    path = tmp_path / "run 7.json"
    path.write_text(json.dumps(found))
    code, said, _ = call("import", "Street scenes", str(path))
    assert code == 0
    assert "  task: results\n  predictions: 1 created, 0 removed, 0 unchanged, 1 rejected" in said
    call("import", "Street scenes", str(path), "--task", "results", "--name", "model A")
    assert set(session.scalars(select(PredictionSet.name))) == {"run 7", "model A"}
    code, _, told = call("import", "Street scenes", str(path), str(path), "--name", "model A")
    assert (code, "--name is for one file" in told) == (2, True)


def test_another_format_out_and_in(
    call: Call, dataset: Dataset, session: Session, tmp_path: Path
) -> None:
    call("import", "Street scenes", str(COCO / "instances.json"), "--images", str(COCO / "images"))
    out = ("-o", "out.zip", "--format", "yolo-detect", "--images")
    code, _, told = call("export", "Street scenes", *out)
    assert code == 0
    assert "  crowd_left_out 3: A crowd is left out.\n" in told
    code, said, _ = call("import", "Second", "out.zip", "--create")
    assert code == 0
    assert "  format: yolo-detect\n" in said
    assert "  annotations: 114 created, 0 updated, 0 unchanged, 0 rejected\n" in said
    assert session.scalar(select(func.count()).where(Image.blob_sha256.is_not(None))) == 24


def test_an_import_of_nothing_is_no_success(call: Call, dataset: Dataset, tmp_path: Path) -> None:
    file = json.loads((COCO / "instances.json").read_text())
    polygons = [one for one in file["annotations"] if not one["iscrowd"]]
    file["annotations"] = [one | {"image_id": -1} for one in polygons]
    (tmp_path / "lost.json").write_text(json.dumps(file))
    code, said, error = call("import", "Street scenes", str(tmp_path / "lost.json"))
    assert "  annotations: 0 created, 0 updated, 0 unchanged, 114 rejected\n" in said
    assert (code, "No annotation was imported; rejected: 114." in error) == (1, True)
    code, said, _ = call("import", "Street scenes", str(tmp_path / "lost.json"), "--placeholders")
    assert code == 0
    assert "  warning image_placeholder annotations[0].image_id: " in said
    assert "  annotations: 114 created, 0 updated, 0 unchanged, 0 rejected\n" in said


def test_a_dry_run_changes_nothing(call: Call, dataset: Dataset, session: Session) -> None:
    _, said, _ = call("import", "Street scenes", str(COCO / "instances.json"), "--dry-run")
    assert "(dry run, nothing was changed)" in said
    assert session.scalar(select(func.count()).select_from(Image)) == 0


def test_an_import_can_make_the_dataset(call: Call, dataset: Dataset, session: Session) -> None:
    file = str(COCO / "instances.json")
    told = "maskwright: There is no dataset Other.\n"
    assert call("import", "Other", file) == (1, "", told)
    code, said, _ = call("import", "Other", file, "--create", "--json")
    assert code == 0
    assert json.loads(said)["annotations"]["created"] == 117
    made = datasets.find_dataset(session, id_or_name="Other")
    assert made.created_by == dataset.created_by


def test_a_folder_with_images_that_are_none_goes_in_as_far_as_it_can(
    call: Call, dataset: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures" / "deep"
    folder.mkdir(parents=True)
    shutil.copy(next((COCO / "images").iterdir()), folder / "good.jpg")
    (folder / "bad.png").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("no image at all")
    code, said, _ = call("import", "Street scenes", "--images", str(tmp_path / "pictures"))
    assert code == 0
    assert "images: 1 taken in, 1 rejected\n  deep/bad.png: " in said
    assert "notes" not in said


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_a_file_that_cannot_be_imported_is_told_with_exit_code_1(
    mode: str, call: Call, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text('{"images": [')
    code, said, error = call("import", "Street scenes", "bad.json", "--mode", mode)
    assert code == 1
    assert "error json_" in said
    assert re.fullmatch(r"maskwright: bad\.json: [^\n]+\n", error)


@pytest.mark.parametrize(
    "arguments",
    [
        "import Street",
        "import Street missing.json",
        "export Street",
        "export Street -o x --task nonsense",
        "export Street -o x --segmentation nonsense",
        "export Street -o x.json --images",
        "export Street -o x.zip --tasks nonsense",
        "check missing.json",
        "check --mode nonsense x",
    ],
)
def test_a_wrong_transfer_is_a_wrong_call(arguments: str, call: Call) -> None:
    code, out, error = call(*arguments.split())
    assert (code, out) == (2, "")
    assert re.fullmatch(r"maskwright: [^\n]+\n", error)


@pytest.mark.parametrize("arguments", ["Nothing -o x", "Street -o x --category nonsense"])
def test_an_export_of_what_is_not_there_writes_no_file(
    arguments: str, call: Call, session: Session, tmp_path: Path
) -> None:
    make_dataset(session, name="Street")
    code, out, error = call("export", *arguments.split())
    assert (code, out) == (1, "")
    assert error.startswith("maskwright: There is no ")
    assert not (tmp_path / "x").exists()


def test_the_demo_is_added_once(context: AppContext, session: Session) -> None:
    make_user(session, is_admin=True)
    for _ in range(2):
        demo.add_demo(context)
    found = session.scalars(select(Image)).all()
    assert len(found) == 5
    assert all(image.blob_sha256 and image.annotation_count for image in found)
    shown = datasets.find_dataset(session, id_or_name=demo.NAME)
    sources = json.loads((demo.FOLDER / "ATTRIBUTION.json").read_text())
    assert {entry["file_name"] for entry in sources} == {image.file_name for image in found}
    assert all(entry["source"] in shown.description for entry in sources)


def test_commands_do_not_migrate_a_database_that_others_share(
    call: Call, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create database empty_one"))
    engine.dispose()
    address = engine.url.set(database="empty_one").render_as_string(hide_password=False)
    monkeypatch.setenv("MASKWRIGHT_DATABASE_URL", address)
    told = "maskwright: The database is not up to date: run `maskwright migrate` first.\n"
    assert call("user", "list") == (1, "", told)
    assert call("migrate") == (0, "The database is up to date.\n", "")
    assert call("user", "list") == (0, "", "")


def test_a_command_starts_the_database_when_no_server_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = maskwright(data, "user", "add", "ann@example.org", "--admin")
    assert (made.returncode, made.stderr) == (0, f"maskwright: {data} is a new data folder.\n")
    listed = maskwright(data, "user", "list")
    assert (listed.stdout, listed.stderr) == ("ann@example.org\tadmin\tactive\n", "")
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_panoptic_file_finds_its_pngs_beside_it(call: Call, session: Session) -> None:
    make_dataset(session, name="Segments")
    code, said, error = call("import", "Segments", str(COCO / "panoptic.json"))
    assert (code, error) == (0, "")
    assert "task: panoptic" in said
    assert "annotations: 50 created" in said
    code, said, error = call("export", "Segments", "--task", "panoptic", "-o", "out.json")
    assert (code, said, error) == (0, "", "")
    assert json.loads(Path("out.json").read_text()) == json.loads(
        (COCO / "panoptic.json").read_text()
    )


def test_masks_of_a_folder(call: Call, session: Session) -> None:
    make_user(session, is_admin=True)
    dataset = make_dataset(session, name="Masks")
    make_image(session, dataset=dataset, file_name="a.jpg", width=4, height=2)
    folder = Path("masks")
    folder.mkdir()
    labels = Picture.new("L", (4, 2))
    labels.putpixel((0, 0), 7)
    labels.putpixel((3, 1), 7)
    labels.save(folder / "a_mask.png")
    Path("mapping.json").write_text('{"7": "cat"}')
    options = ["--masks", "masks", "--suffix", "_mask", "--parts", "4", "--outline", "polygons"]
    code, said, error = call("import", "Masks", *options, "--mapping", "mapping.json")
    assert (code, error) == (0, "")
    assert "annotations: 2 created" in said
    found = session.scalars(select(Annotation).order_by(Annotation.id)).all()
    assert [json.loads(one.record)["bbox"] for one in found] == [[0, 0, 1, 1], [3, 1, 1, 1]]
    Path("mapping.json").write_text('{"red": "cat"}')
    code, said, error = call("import", "Masks", *options, "--mapping", "mapping.json")
    assert (code, said) == (1, "")
    assert "mapping.json: 'red' is no value" in error
