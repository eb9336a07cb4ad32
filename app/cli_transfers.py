"""The commands that move annotations: import and export.

They do what the routes of the same names do, directly on the database, and tell people how it went.
`app.cli` puts them into the command line.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from app.cli_parts import running_parts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.context import AppContext
    from app.services.images.images import ImageFilter
    from app.services.imports.mask_mapping import MaskOptions

__all__ = [
    "Bar",
    "OneOf",
    "existing_file",
    "export_to_file",
    "import_files",
    "import_tasks",
    "modes",
    "show_issues",
]

ISSUES_SHOWN = 20
REDRAW_SECONDS = 0.1
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)


class OneOf(click.ParamType[str]):
    """A choice among names that other modules list: loaded when it is used, not before."""

    name = "choice"

    def __init__(self, load: Callable[[], Sequence[str]]) -> None:
        self._load = load

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        del param, ctx
        return f"[{'|'.join(self._load())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = self._load()
        if value not in names:
            self.fail(f"{value!r} is not one of {', '.join(names)}.", param, ctx)
        return str(value)


def import_tasks() -> Sequence[str]:
    from app.services.imports import imports

    # What a file is can be found out.
    return ("auto", *(task for task in imports.import_tasks() if task != "auto"))


def _import_kinds() -> Sequence[str]:
    from app.services.imports import imports

    return ("auto", *imports.import_kinds())


def modes() -> Sequence[str]:
    from app.formats.records import MODES

    return MODES


def _parts() -> Sequence[str]:
    from app.services.imports.mask_mapping import PARTS

    return PARTS


def _outlines() -> Sequence[str]:
    from app.services.imports.mask_mapping import OUTLINES

    return OUTLINES


def _import_formats() -> Sequence[str]:
    from app.services.imports import imports

    return (imports.AUTO, *(form.name for form in imports.import_formats()))


def _export_formats() -> Sequence[str]:
    from app.formats import FORMATS

    return tuple(form.name for form in FORMATS if form.export_tasks)


def _export_tasks() -> Sequence[str]:
    from app.services.exports import exports

    return exports.export_tasks()


def _segmentations() -> Sequence[str]:
    from app.services.exports import exports

    return exports.SEGMENTATIONS


def _ids() -> Sequence[str]:
    from app.services.exports import exports

    return exports.IDS


def _statuses() -> Sequence[str]:
    from app.models import STATUSES

    return STATUSES


class Bar:
    """Progress on one line of a terminal; silent where nobody watches."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._next = 0.0
        self._shown = sys.stderr.isatty()

    def tell(self, done: int, total: int, message: str = "") -> None:
        """Redraw the line, at most ten times a second."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + REDRAW_SECONDS
        filled = 30 * done // total if total else 0
        count = f"{done:,} of {total:,}" if total else f"{done:,}" if done else ""
        drawn = f"[{'#' * filled}{'.' * (30 - filled)}] " if total else ""
        click.echo(f"\r\x1b[K{self._title}: {drawn}{count} {message}", nl=False, err=True)

    def close(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Bar]:
    bar = Bar(title)
    try:
        yield bar
    finally:
        bar.close()


def show_issues(report: Mapping[str, Any]) -> None:
    """The first issues, one to a line, and how many there are of each kind."""
    for issue in report["issues"][:ISSUES_SHOWN]:
        place = "".join(f" {issue[key]}" for key in ("file", "path") if issue.get(key))
        click.echo(
            f"  {issue['severity']} {issue['code']}{place}: {issue['message']} ({issue['action']})"
        )
    more = sum(report["issue_counts"].values()) - len(report["issues"][:ISSUES_SHOWN])
    if more > 0:
        counted = ", ".join(f"{code} {n:,}" for code, n in report["issue_counts"].items())
        click.echo(f"  and {more:,} more; all together: {counted}")


def _numbers(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counted.items())


def _show_import(path: Path, report: dict[str, Any]) -> None:
    click.echo(f"{path}:" + (" (dry run, nothing was changed)" if report["dry_run"] else ""))
    if report.get("format"):
        click.echo(f"  format: {report['format']}")
    if report.get("task"):
        click.echo(f"  task: {report['task']}")
    parts = report.get("files", [])
    for part in parts if len(parts) > 1 else ():
        brought = f"annotations: {_numbers(part['annotations'])}"
        told = f"{part['task']}, {brought}" if part["imported"] else "not imported"
        click.echo(f"  {part['file']}: {told}")
    results = ("predictions",) if "predictions" in report else ()
    for kind in results or ("images", "categories", "annotations", "pictures"):
        if kind in report:
            click.echo(f"  {kind}: {_numbers(report[kind])}")
    show_issues(report)


@click.command("import")
@click.argument("dataset")
@click.argument("files", nargs=-1, type=existing_file, metavar="FILE...")
@click.option("--images", type=existing_folder, help="Take in all images below this folder.")
@click.option("--masks", type=existing_folder, help="Make annotations of the mask images below it.")
@click.option("--mapping", type=existing_file, help="With --masks: JSON of values and categories.")
@click.option("--ignore", default="0", show_default=True, help="With --masks: values of nothing.")
@click.option(
    "--parts", type=OneOf(_parts), default="none", help="With --masks: apart by 4 or 8 neighbours."
)
@click.option("--outline", type=OneOf(_outlines), default="mask", help="With --masks: RLE or not.")
@click.option("--suffix", default="", help="With --masks: what names have behind the image's.")
@click.option("--format", "form", type=OneOf(_import_formats), default="auto", help="Their format.")
@click.option("--task", type=OneOf(_import_kinds), default="auto", help="What the files hold.")
@click.option(
    "--mode", type=OneOf(modes), default="lenient", help="strict: one error, and nothing goes in."
)
@click.option(
    "--placeholders", is_flag=True, help="Make images and categories that a COCO file lacks."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would happen to the annotations.")
@click.option("--subset", help="Of new images and of those in none; else what FILE's name says.")
@click.option("--name", help="Of results: the model or run; else FILE's name.")
@click.option("--create", is_flag=True, help="Make the dataset when there is none.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON lines.")
def import_files(
    dataset: str,
    files: tuple[Path, ...],
    images: Path | None,
    masks: Path | None,
    form: str,
    task: str,
    mode: str,
    subset: str | None,
    name: str | None,
    *,
    placeholders: bool,
    dry_run: bool,
    create: bool,
    as_json: bool,
    **of_masks: Any,
) -> None:
    """Import COCO files, zips in other formats, images and masks into DATASET (its id or name)."""
    from app import local_files
    from app.services.imports.imports import ImportFailed, ImportOptions
    from app.services.imports.tally import told_of

    if not files and images is None and masks is None:
        raise click.UsageError("Name a file to import, or a folder with --images or --masks.")
    if name is not None and len(files) > 1:
        raise click.UsageError("--name is for one file: each would replace the one before.")
    mask_options = _mask_options(of_masks, mode=mode, dry_run=dry_run)
    options = ImportOptions(
        form, task, mode, placeholders=placeholders, dry_run=dry_run, subset=subset, name=name
    )
    reports: list[dict[str, Any]] = []
    with running_parts() as context:
        dataset_id = _find_dataset(context, dataset, create=create)
        for path in files:
            try:
                with _bar(path.name) as bar:
                    report = local_files.import_annotations(
                        context, dataset_id=dataset_id, path=path, options=options, progress=bar
                    )
            except ImportFailed as error:
                _show(path, error.result or {}, as_json=as_json)
                raise click.ClickException(f"{path}: {error.message}") from error
            _show(path, report, as_json=as_json)
            reports.append(report)
        if images is not None and not dry_run:
            with _bar(images.name) as bar:
                taken = local_files.import_images(
                    context,
                    dataset_id=dataset_id,
                    folder=images,
                    subset=subset or "default",
                    progress=bar,
                )
            _show_images(images, taken, as_json=as_json)
        if masks is not None:
            try:
                with _bar(masks.name) as bar:
                    report = local_files.import_masks(
                        context,
                        dataset_id=dataset_id,
                        folder=masks,
                        options=mask_options,
                        progress=bar,
                    )
            except ImportFailed as error:
                _show(masks, error.result or {}, as_json=as_json)
                raise click.ClickException(f"{masks}: {error.message}") from error
            _show(masks, report, as_json=as_json)
            reports.append(report)
    nothing = [told_of(report) for report in reports if report["outcome"] == "nothing"]
    if nothing:
        raise click.ClickException(" ".join(nothing))


def _mask_options(given: Mapping[str, Any], *, mode: str, dry_run: bool) -> "MaskOptions":
    """How to import masks; a mapping that cannot be read is told before anything is done."""
    from app.errors import Invalid
    from app.services.imports.mask_mapping import MaskOptions, read_ignored, read_mapping

    path: Path | None = given["mapping"]
    try:
        mapping = path.read_text(encoding="utf-8-sig") if path else ""
        read_mapping(mapping)
        read_ignored(given["ignore"])
    except (Invalid, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path or '--ignore'}: {error}") from error
    return MaskOptions(**{**given, "mapping": mapping}, mode=mode, dry_run=dry_run)


def _find_dataset(context: "AppContext", name: str, *, create: bool) -> int:
    from app import local_files
    from app.errors import NotFound
    from app.services.datasets import datasets

    with context.sessions.begin() as session:
        try:
            return datasets.find_dataset(session, id_or_name=name).id
        except NotFound:
            if not create:
                raise
        owner = local_files.first_administrator(session)
        return datasets.create_dataset(session, user=owner, name=name).id


def _show(path: Path, report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(path), **report}))
    elif report:
        _show_import(path, report)


def _show_images(folder: Path, taken: Any, *, as_json: bool) -> None:
    if as_json:
        rejected = [vars(file) for file in taken.rejected]
        click.echo(
            json.dumps({"folder": str(folder), "images": taken.images, "rejected": rejected})
        )
        return
    click.echo(f"{folder}:\n  images: {taken.images:,} taken in, {len(taken.rejected):,} rejected")
    for file in taken.rejected[:ISSUES_SHOWN]:
        click.echo(f"  {file.file_name}: {file.message} ({file.code})")


def _zip_tasks(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The tasks of a comma list."""
    from app.services.exports import exports

    tasks = tuple(dict.fromkeys(filter(None, map(str.strip, (value or "").split(",")))))
    for task in tasks:
        OneOf(exports.export_tasks).convert(task, param, ctx)
    return tasks


@click.command("export")
@click.argument("dataset")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, a COCO file or a .zip; - writes to stdout.",
)  # fmt: skip
@click.option(
    "--format", "form", type=OneOf(_export_formats), default="coco", help="All but coco are zips."
)
@click.option("--task", type=OneOf(_export_tasks), help="What to export (default: instances).")
@click.option("--segmentation", type=OneOf(_segmentations), default="stored", help="How.")
@click.option("--crop-covered", is_flag=True, help="Cut away what later annotations cover.")
@click.option("--allow-attributes/--no-attributes", default=True, help="Write attributes or not.")
@click.option("--fill", is_flag=True, help="Add area, bbox, iscrowd and sizes where they lack.")
@click.option("--ensure-ascii", is_flag=True, help="Escape characters beyond ASCII.")
@click.option("--ids", type=OneOf(_ids), default="preserve", help="Keep ids, or count from 1.")
@click.option("--category", multiple=True, help="Only this category (name or id); repeatable.")
@click.option("--subset", help="Only images of this subset.")
@click.option("--status", type=OneOf(_statuses), help="Only images with this status.")
@click.option("--annotated/--not-annotated", default=None, help="Only images with, or without.")
@click.option("--tasks", callback=_zip_tasks, help="For a .zip: only these tasks, as a comma list.")
@click.option("--images", is_flag=True, help="In a zip: with the image files.")
@click.option("--merge-images", is_flag=True, help="For a .zip: all images in one folder.")
def export_to_file(
    dataset: str,
    output: Path,
    form: str,
    task: str | None,
    category: tuple[str, ...],
    subset: str | None,
    status: str | None,
    *,
    annotated: bool | None,
    tasks: tuple[str, ...],
    images: bool,
    merge_images: bool,
    **writing: Any,
) -> None:
    """Export DATASET (its id or name) as a COCO file, as a zip of them and of the images, or as a
    zip in another format."""
    from app import local_files
    from app.services.datasets import datasets
    from app.services.exports import exports
    from app.services.exports.zip import ZipOptions, export_zip
    from app.services.images.images import ImageFilter
    from app.services.imports.imports import find_format

    foreign = find_format(form).writer is not None
    zipped = foreign or output.suffix.lower() == ".zip"
    if not zipped and (tasks or images or merge_images):
        raise click.UsageError(
            "--tasks, --images and --merge-images need a FILE that ends in .zip."
        )
    written = exports.ExportOptions(**writing) != exports.ExportOptions()
    if foreign and (task or tasks or merge_images or written):
        raise click.UsageError(f"The format {form} takes no options but --images and filters.")
    if zipped and task is not None:
        tasks = tuple(dict.fromkeys((task, *tasks)))
    with running_parts() as context, exports.snapshot(context.sessions) as session:
        dataset_id = datasets.find_dataset(session, id_or_name=dataset).id
        filters = ImageFilter(
            categories=local_files.category_ids(session, dataset_id=dataset_id, given=category),
            annotated=annotated,
            subset=subset,
            status=status,
        )
        if foreign:
            _export_folder(context, session, dataset_id, output, form, filters, images=images)
            return
        # How files are written: segmentation, ids, crop_covered, allow_attributes, ...
        file_options = exports.ExportOptions(task=task or "instances", filters=filters, **writing)
        if zipped:
            options = ZipOptions(
                tasks=tasks, images=images, merge_images=merge_images, file=file_options
            )
            pieces = export_zip(session, context.storage, dataset_id=dataset_id, options=options)
        else:
            pieces = exports.export_file(session, dataset_id=dataset_id, options=file_options)
        with _bar(str(output)) as bar, _written(output) as file:
            exports.write_to(file, pieces, progress=bar)


def _export_folder(
    context: "AppContext",
    session: "Session",
    dataset_id: int,
    output: Path,
    form: str,
    filters: "ImageFilter",
    *,
    images: bool,
) -> None:
    """The zip, and on the terminal what the format could not hold."""
    from app.formats.outgoing import Losses
    from app.services.exports.folder import FolderOptions, export_folder

    limit = context.settings.max_image_pixels
    options = FolderOptions(format=form, images=images, filters=filters, max_pixels=limit)
    losses = Losses()
    pieces = export_folder(
        session, context.storage, dataset_id=dataset_id, options=options, losses=losses
    )
    size = 0
    with _bar(str(output)) as bar, _written(output) as file:
        for piece in pieces:
            file.write(piece)
            size += len(piece)
            bar.tell(size, 0, "Exporting.")
    for loss in losses.as_list():
        click.echo(f"  {loss['code']} {loss['count']:,}: {loss['meaning']}", err=True)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is complete, and not before."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
