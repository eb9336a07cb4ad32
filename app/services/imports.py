"""Imports: an annotation file becomes images, categories and annotations of a dataset.

All in one transaction: an import succeeds as a whole or leaves the dataset as it was. It writes new
rows first and takes its locks late and in the order in which everybody takes them (images,
annotations, dataset, counters), so that people go on working meanwhile.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.formats import FORMATS
from app.formats.records import FileError, Format, Head, Report, Source
from app.formats.sizes import settle_sizes
from app.services import import_finish, import_images, import_names, turns
from app.services.import_annotations import AnnotationImport
from app.services.import_categories import import_categories
from app.services.import_tally import Tally
from app.services.jobs import JobFailed, Progress, Silent

__all__ = [
    "AUTO",
    "ImportFailed",
    "ImportOptions",
    "find_format",
    "import_file",
    "import_formats",
    "import_source",
    "import_tasks",
    "unreadable",
]

AUTO = "auto"


@dataclass(frozen=True)
class ImportOptions:
    """How to import: see the route's description for what each means."""

    format: str = AUTO
    task: str = AUTO
    mode: str = "lenient"
    dry_run: bool = False
    subset: str | None = None
    file_name: str = ""


class ImportFailed(JobFailed):
    """Nothing was imported; `result` is the report that says why."""


class _Undo(Exception):
    """Ends the savepoint of a dry run."""


def import_tasks() -> tuple[str, ...]:
    """The tasks that can be imported, from any format."""
    return tuple(dict.fromkeys(task for form in FORMATS for task in form.import_tasks))


def import_formats() -> tuple[Format, ...]:
    """The formats that can be imported."""
    return tuple(form for form in FORMATS if form.import_tasks)


def import_file(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    file: BinaryIO,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Import a file and return the report. Raises ImportFailed when nothing could be imported.

    The caller commits, or not. `progress` is told how many annotations are done; what it raises
    ends the import.
    """
    options = options or ImportOptions()
    form = find_format(options.format)

    def opened(report: Report) -> AbstractContextManager[Source]:
        return form.open(file, task=options.task, report=report, name=options.file_name)

    return import_source(
        session,
        dataset_id=dataset_id,
        user_id=user_id,
        opened=opened,
        options=options,
        progress=progress,
    )


def import_source(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    opened: Callable[[Report], AbstractContextManager[Source]],
    options: ImportOptions,
    progress: Progress | None = None,
    pixels: Callable[[Report], None] | None = None,
) -> dict[str, Any]:
    """Import what `opened` opens, as `import_file` does.

    `pixels` takes the pictures in that came along, once the images are there; not in a dry run.
    """
    report, tally = Report(options.mode), Tally()
    try:
        with session.begin_nested():
            work = _Import(session, dataset_id, user_id, options, report, tally)
            work.run(opened, None if options.dry_run else pixels, progress or Silent())
            if options.mode == "strict" and report.errors:
                raise ImportFailed(_too_strict(report), _result(tally, report, options, done=False))
            if options.dry_run:
                raise _Undo
    except _Undo:
        session.expire_all()
    except FileError as error:
        raise unreadable(error, options, report) from None
    return _result(tally, report, options, done=not options.dry_run)


def unreadable(
    error: FileError, options: ImportOptions, report: Report | None = None
) -> ImportFailed:
    """What to raise about a file that cannot be read at all."""
    report = report or Report(options.mode)
    report.add(error.code, "", error.detail)
    return ImportFailed(error.detail, _result(Tally(), report, options, done=False))


def find_format(name: str) -> Format:
    """The format of this name; of ``auto``, which a single file is of: the first one."""
    return next(form for form in FORMATS if name in (form.name, AUTO))


def _too_strict(report: Report) -> str:
    return f"{report.errors:,} errors, and in strict mode one is too many. Nothing was imported."


def _result(tally: Tally, report: Report, options: ImportOptions, *, done: bool) -> dict[str, Any]:
    return {
        **tally.as_dict(),
        **report.as_dict(),
        "format": find_format(options.format).name,
        "mode": options.mode,
        "dry_run": options.dry_run,
        "imported": done,
    }


class _Import:
    """One import, step by step."""

    def __init__(
        self,
        session: Session,
        dataset_id: int,
        user_id: int | None,
        options: ImportOptions,
        report: Report,
        tally: Tally,
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._user_id = user_id
        self._options = options
        self._report = report
        self._tally = tally

    def run(
        self,
        opened: Callable[[Report], AbstractContextManager[Source]],
        pixels: Callable[[Report], None] | None,
        progress: Progress,
    ) -> None:
        """Everything; what the file says goes into the report and the tally."""
        progress.tell(0, 0, "Reading the file.")
        with opened(self._report) as source:
            head = source.head()
            self._tally.task = head.task
            self._wait_for_turn(progress)
            self._write(source, head, pixels, progress)

    def _wait_for_turn(self, progress: Progress) -> None:
        """One import at a time in a dataset: two would make the same image twice."""
        pause = 0.0
        while not turns.try_turn(self._session, dataset_id=self._dataset_id, pause_seconds=pause):
            progress.tell(0, 0, "Waiting for another import or upload into this dataset.")
            pause = 0.2

    def _write(
        self,
        source: Source,
        head: Head,
        pixels: Callable[[Report], None] | None,
        progress: Progress,
    ) -> None:
        session, report = self._session, self._report
        total = head.annotation_count
        progress.tell(0, total, "Importing images.")
        if self._options.subset is not None:
            for image in head.images:
                image.subset = None
        if not head.has_ids:
            import_names.settle_ids(session, dataset_id=self._dataset_id, head=head)
        matches, images = import_images.find_images(
            session, dataset_id=self._dataset_id, records=head.images, report=report
        )
        files = import_images.file_sizes(matches, report)
        sizes = settle_sizes(source, head, report, files)
        changes = import_images.find_id_changes(images, matches, sizes, report)
        import_images.write_images(
            session,
            dataset_id=self._dataset_id,
            matches=matches,
            sizes=sizes,
            task=head.task,
            subset=self._options.subset or head.subset,
            report=report,
            tally=self._tally,
        )
        categories = import_categories(
            session,
            dataset_id=self._dataset_id,
            task=head.task,
            records=head.categories,
            report=report,
            tally=self._tally,
        )
        work = AnnotationImport(
            session,
            dataset_id=self._dataset_id,
            task=head.task,
            user_id=self._user_id,
            matches=matches,
            categories=categories,
            report=report,
            tally=self._tally,
        )
        for batch in source.annotations(sizes):
            work.add(batch)
            progress.tell(source.position, total, "Importing annotations.")
        if pixels is not None:
            # Before the dataset is locked: filling locks images.
            pixels(report)
        progress.tell(total, total, "Saving.")
        import_finish.finish(
            session,
            dataset_id=self._dataset_id,
            head=head,
            matches=matches,
            annotations=work,
            changes=changes,
            report=report,
            tally=self._tally,
        )
        numbers = self._tally.annotations
        numbers["rejected"] = total - sum(numbers.values())
