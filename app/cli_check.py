"""``maskwright check``, the COCO doctor: the reader's report of a file, and a repaired copy of it.

A zip has every annotation file in it looked at; its repaired copy is a zip with the same files.
"""

import contextlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from app.cli_parts import load_settings
from app.cli_transfers import Bar, OneOf, existing_file, import_tasks, modes, show_issues

if TYPE_CHECKING:
    from app.formats.records import Pngs
    from app.web.check_page import Checked

__all__ = ["check"]

REPAIRS_SHOWN = 20
_BY_OPTIONS = {
    "segment_area_differs": " [--fix --fill]",
    "rle_size_swapped": " [--fix --swapped size or mask]",
}
new_file = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class _Options:
    task: str
    mode: str
    drop: bool
    fill: bool
    swapped: str | None


def _swapped() -> Sequence[str]:
    from app.formats.coco.repair import SWAPPED

    return tuple(SWAPPED)


@click.command()
@click.argument("file", type=existing_file)
@click.option("--task", type=OneOf(import_tasks), default="auto", help="What the file holds.")
@click.option("--mode", type=OneOf(modes), default="lenient", help="How strict to be.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--html", "page", type=new_file, help="Write the report as a web page, too.")
@click.option("--fix", "copy", type=new_file, help="Write a repaired copy; nothing else changes.")
@click.option("--drop", is_flag=True, help="With --fix: leave out records that cannot be read.")
@click.option("--fill", is_flag=True, help="With --fix: add area, bbox, iscrowd and sizes.")
@click.option(
    "--swapped",
    type=OneOf(_swapped),
    help="With --fix: what RLEs of size [width, height] have wrong.",
)
def check(
    file: Path,
    task: str,
    mode: str,
    swapped: str | None,
    page: Path | None,
    copy: Path | None,
    *,
    as_json: bool,
    drop: bool,
    fill: bool,
) -> None:
    """Report what is wrong with a COCO file or a zip of them; exit code 1 when there are errors.

    With --fix, the errors that count are those left in the copy.
    """
    if copy is None and (drop or fill or swapped):
        told = "--drop, --fill and --swapped say what --fix does: name a file for the copy."
        raise click.UsageError(told)
    for written in (copy, page):
        if written is not None and written.exists() and written.samefile(file):
            raise click.UsageError(f"{written} is the file that is looked at: name another one.")
    options = _Options(task, mode, drop, fill, swapped)
    from app.services.files.zips import is_zip
    from app.services.imports.panoptic_pngs import FolderPngs

    with file.open("rb") as opened:
        zipped = is_zip(opened.read(4))
    most = load_settings().max_image_pixels
    checked = (
        _check_zip(file, copy, options)
        if zipped
        else [
            _check_one(file, str(file), copy, options, FolderPngs.beside(file, max_pixels=most)),
        ]
    )
    if page is not None:
        from app.web.check_page import render

        page.write_text(render(checked, title=file.name), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_as_json(checked, zipped=zipped)))
    else:
        for one in checked:
            _tell(one, copy)
    if any((one.remaining or one.report)["errors"] for one in checked):
        click.get_current_context().exit(1)


# Looking ---------------------------------------------------------------------------------------


def _check_one(
    file: Path, name: str, copy: Path | None, options: _Options, pngs: "Pngs | None"
) -> "Checked":
    from app.web.check_page import Checked

    report = _report(file, name, options, pngs)
    if copy is None or _is_unreadable(report):
        return Checked(name, report)
    with _draft(copy) as draft, draft.open("w+b") as target:
        repairs = _fix(file, name, target, options, pngs)
        target.flush()
        remaining = _report(draft, name, options, pngs)
    return Checked(name, report, repairs, remaining)


def _report(file: Path, name: str, options: _Options, pngs: "Pngs | None" = None) -> dict[str, Any]:
    from app.formats.coco.check import check_file

    with contextlib.closing(Bar(name)) as bar:
        return check_file(
            file,
            name=name,
            mode=options.mode,
            task=options.task,
            progress=bar.tell,
            pngs=pngs,
        )


def _fix(
    file: Path, name: str, target: BinaryIO, options: _Options, pngs: "Pngs | None"
) -> list[Any]:
    from app.formats.coco.fix import fix

    with file.open("rb") as source:
        return fix(
            source,
            target,
            name=name,
            task=options.task,
            drop=options.drop,
            fill=options.fill,
            swapped=options.swapped,
            pngs=pngs,
        )


def _is_unreadable(report: dict[str, Any]) -> bool:
    """Whether the file as a whole is no COCO file: nothing of it can be repaired."""
    return report["task"] is None


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A file that takes its name when it is complete, and not before."""
    draft = path.with_name(f"{path.name}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


# Zips ------------------------------------------------------------------------------------------


def _check_zip(file: Path, copy: Path | None, options: _Options) -> "list[Checked]":
    from app.services.files import zips
    from app.services.imports.panoptic_pngs import ZipPngs

    settings = load_settings()
    with (
        tempfile.TemporaryDirectory() as folder,
        zips.open_zip(file, max_files=settings.max_zip_files) as archive,
    ):
        found = _annotation_files(archive)
        if not found:
            raise click.ClickException(f"{file}: The zip holds no .json file.")
        allowance = zips.Allowance(settings.max_upload_mb * 1_000_000)
        checked: list[Checked] = []
        fixed: dict[str, Path] = {}
        for number, entry in enumerate(found):
            inside = Path(folder) / f"{number}.json"
            with inside.open("wb") as out:
                for piece in zips.unpack(archive, entry, allowance):
                    out.write(piece)
            repaired = None if copy is None else Path(folder) / f"{number}.fixed.json"
            pngs = ZipPngs(
                archive,
                entry.filename,
                scratch=Path(folder),
                allowance=allowance,
                max_pixels=settings.max_image_pixels,
                max_files=settings.max_zip_files,
            )
            with pngs:
                one = _check_one(inside, entry.filename, repaired, options, pngs or None)
            checked.append(one)
            if repaired is not None and repaired.exists():
                fixed[entry.filename] = repaired
        if copy is not None:
            with _draft(copy) as draft:
                _copy_zip(archive, draft, fixed)
        return checked


def _annotation_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The .json files; where there are others beside them, those that stand with annotations."""
    from app.services.files import zips
    from app.services.imports import zip_layout

    found = list(zips.entries(archive))
    return [found[place] for place in zip_layout.annotation_files([e.filename for e in found])]


def _copy_zip(archive: zipfile.ZipFile, target: Path, fixed: dict[str, Path]) -> None:
    """The same zip with some files replaced; names, times and packing stay."""
    from app.services.files import zips

    with zipfile.ZipFile(target, "w") as out:
        for entry in archive.infolist():
            info = zipfile.ZipInfo(entry.filename, entry.date_time)
            info.compress_type = entry.compress_type
            info.external_attr = entry.external_attr
            info.comment, info.create_system = entry.comment, entry.create_system
            with out.open(info, "w", force_zip64=True) as written:
                if entry.filename in fixed:
                    with fixed[entry.filename].open("rb") as source:
                        shutil.copyfileobj(source, written)
                    continue
                for piece in zips.unpack(archive, entry, zips.Allowance(sys.maxsize)):
                    written.write(piece)


# Telling ---------------------------------------------------------------------------------------


def _as_json(checked: "list[Checked]", *, zipped: bool) -> dict[str, Any]:
    files = []
    for one in checked:
        found = dict(one.report)
        if one.remaining is not None:
            found["fix"] = {
                "repairs": [repair._asdict() for repair in one.repairs],
                "remaining": one.remaining,
            }
        files.append(found)
    if not zipped:
        return files[0]
    named = [{"file": one.name, **found} for one, found in zip(checked, files, strict=True)]
    return {"files": named, "errors": sum(found["errors"] for found in files)}


def _tell(one: "Checked", copy: Path | None) -> None:
    from app.web.formats import count

    click.echo(f"{one.name}: {_verdict(one.report)}")
    show_issues(one.report)
    _suggest(one.report)
    if one.remaining is not None:
        click.echo(f"{copy}: {count(len(one.repairs), 'repair')}; {_verdict(one.remaining)}")
        for repair in one.repairs[:REPAIRS_SHOWN]:
            click.echo(f"  {repair.path}: {repair.done} ({repair.code})")
        if len(one.repairs) > REPAIRS_SHOWN:
            click.echo(f"  and {len(one.repairs) - REPAIRS_SHOWN:,} more; --json lists them all")
    elif copy is not None:
        click.echo(f"{copy}: not written, the file cannot be read at all")


def _verdict(report: Any) -> str:
    from app.web.formats import count

    images = count(report["images"], "image")
    categories = count(report["categories"], "category", "categories")
    annotations = count(report["annotations"], "annotation")
    verdict = count(report["errors"], "error") if report["errors"] else "no errors"
    return f"{images}, {categories}, {annotations}; {verdict}"


def _suggest(report: Any) -> None:
    from app.formats.coco.repair import REPAIRS
    from app.formats.issues import FIXES, ISSUES

    if not report["issue_counts"]:
        return
    click.echo("What to do; [--fix] and [--fix --drop] do it for you where the meaning is clear:")
    for code in report["issue_counts"]:
        dropped = ISSUES[code].action == "rejected" and code != "segment_unlisted"
        does = " [--fix]" if code in REPAIRS else " [--fix --drop]" if dropped else ""
        does = _BY_OPTIONS.get(code, does)
        click.echo(f"  {code}{does}: {FIXES[code]}")
