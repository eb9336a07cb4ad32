"""Imports: an annotation file becomes images, categories and annotations of a dataset.

All in one transaction: an import succeeds as a whole or leaves the dataset as it was. It writes new
rows first and takes its locks late and in the order in which everybody takes them (images,
annotations, dataset, counters), so that people go on working meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.formats import FORMATS
from app.formats.coco.results import is_results
from app.formats.records import FileError, Format, Head, Pngs, Reading, Report, Source
from app.formats.sizes import settle_sizes
from app.services import turns
from app.services.imports import finish, names
from app.services.imports import images as import_images
from app.services.imports import sizes as import_sizes
from app.services.imports import tally as import_tally
from app.services.imports.annotations import AnnotationImport
from app.services.imports.categories import import_categories
from app.services.imports.images import Beside
from app.services.imports.results import RESULTS, import_results, set_name
from app.services.imports.sizes import Pictures
from app.services.imports.tally import Tally, outcome_of
from app.services.jobs import JobFailed, Progress, Silent
from app.services.live import live

__all__ = [
    "AUTO",
    "ImportFailed",
    "ImportInto",
    "ImportOptions",
    "ImportWork",
    "TooStrict",
    "as_a_whole",
    "find_format",
    "import_file",
    "import_formats",
    "import_kinds",
    "import_source",
    "import_tasks",
    "result_of",
    "unreadable",
    "wait_for_turn",
]

AUTO = "auto"


@dataclass(frozen=True)
class ImportOptions:
    """How to import: see the route's description for what each means."""

    format: str = AUTO
    task: str = AUTO
    mode: str = "lenient"
    placeholders: bool = False
    dry_run: bool = False
    subset: str | None = None
    name: str | None = None
    file_name: str = ""


class ImportFailed(JobFailed):
    """Nothing was imported; `result` is the report that says why."""


class _Undo(Exception):
    """Ends the savepoint of a dry run."""


def import_tasks() -> tuple[str, ...]:
    """The tasks that can be imported, from any format."""
    return tuple(dict.fromkeys(task for form in FORMATS for task in form.import_tasks))


def import_kinds() -> tuple[str, ...]:
    """What an import's `task` may name: the tasks, and results of a model."""
    return (*import_tasks(), RESULTS)


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
    pngs: Pngs | None = None,
) -> dict[str, Any]:
    """Import a file and return the report. Raises ImportFailed when nothing could be imported.

    The caller commits, or not. `pngs` are those beside a panoptic file. `progress` is told how many
    annotations are done; what it raises ends the import.
    """
    options = options or ImportOptions()
    work = ImportWork(session, dataset_id, user_id, options, Report(options.mode))
    return _whole(session, work, options, lambda: work.run(file, progress or Silent(), pngs))


def import_source(
    session: Session,
    *,
    dataset_id: int,
    user_id: int | None,
    opened: Callable[[Report], AbstractContextManager[Source]],
    options: ImportOptions,
    progress: Progress | None = None,
    pictures: Pictures | None = None,
    pixels: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Import what `opened` opens, as `import_file` does.

    `pictures` came along; `pixels` takes them in once the images are there.
    """
    work = ImportWork(
        session,
        dataset_id,
        user_id,
        options,
        Report(options.mode),
        pictures=pictures,
        pixels=pixels,
    )
    return _whole(session, work, options, lambda: work.run_source(opened, progress or Silent()))


def _whole(
    session: Session, work: "ImportWork", options: ImportOptions, run: Callable[[], None]
) -> dict[str, Any]:
    try:
        with as_a_whole(session, work.report, dry_run=options.dry_run):
            run()
    except FileError as error:
        raise unreadable(error, options, work.report) from None
    except TooStrict as error:
        raise ImportFailed(str(error), result_of(work.tally, work.report, options)) from None
    result = result_of(work.tally, work.report, options, done=not options.dry_run)
    return result | {"outcome": outcome_of(result, errors=work.report.errors)}


class TooStrict(Exception):
    """There are errors, and in strict mode one is too many."""


@contextmanager
def as_a_whole(session: Session, report: Report, *, dry_run: bool) -> Iterator[None]:
    """A savepoint in which everything is imported: undone by what is raised and by a dry run."""
    try:
        with session.begin_nested():
            yield
            if report.mode == "strict" and report.errors:
                raise TooStrict(
                    f"{report.errors:,} errors, and in strict mode one is too many. "
                    "Nothing was imported."
                )
            if dry_run:
                raise _Undo
    except _Undo:
        session.expire_all()


def unreadable(
    error: FileError, options: ImportOptions, report: Report | None = None
) -> ImportFailed:
    """What to raise about a file that cannot be read at all."""
    report = report or Report(options.mode)
    report.add(error.code, "", error.detail)
    return ImportFailed(error.detail, result_of(Tally(), report, options))


def find_format(name: str) -> Format:
    """The format of this name; of ``auto``, which a single file is of: the first one."""
    return next(form for form in FORMATS if name in (form.name, AUTO))


def result_of(
    tally: Tally, report: Report, options: ImportOptions, *, done: bool = False
) -> dict[str, Any]:
    """The report of an import as a job's result."""
    told = import_tally.result_of(tally, report, dry_run=options.dry_run, done=done)
    return told | {"format": find_format(options.format).name}


def wait_for_turn(session: Session, *, dataset_id: int, progress: Progress) -> None:
    """One import at a time in a dataset: two would make the same image twice."""
    pause = 0.0
    while not turns.try_turn(session, dataset_id=dataset_id, pause_seconds=pause):
        progress.tell(0, 0, "Waiting for another import or upload into this dataset.")
        pause = 0.2


@dataclass
class ImportInto:
    """Where an import goes, for whom and how, and what is told about it."""

    session: Session
    dataset_id: int
    user_id: int | None
    options: ImportOptions
    report: Report


@dataclass
class ImportWork(ImportInto):
    """The import of one file, step by step; `tally` is what it brought.

    `pictures` came with the file, and `beside` tells of files that are imported with it. `pixels`
    is called once the images are there, to take in the pictures that came along.
    """

    pictures: Pictures | None = None
    beside: Beside | None = None
    pixels: Callable[[], None] | None = None
    tally: Tally = field(init=False, default_factory=Tally)

    def run(self, file: BinaryIO, progress: Progress, pngs: Pngs | None = None) -> None:
        """Everything in a file; what it says goes into the report and the tally."""
        options = self.options
        form = find_format(options.format)
        if form.reader is None and (
            options.task == RESULTS or (options.task == AUTO and is_results(file))
        ):
            progress.tell(0, 0, "Reading the file.")
            self._results(file, progress)
            return

        def opened(report: Report) -> AbstractContextManager[Source]:
            reading = Reading(report, options.task, options.file_name, pngs, options.placeholders)
            return form.open(file, reading)

        self.run_source(opened, progress)

    def run_source(
        self, opened: Callable[[Report], AbstractContextManager[Source]], progress: Progress
    ) -> None:
        """The same for annotations that `opened` opens."""
        live.dataset_changed(self.session, self.dataset_id)
        progress.tell(0, 0, "Reading the file.")
        with opened(self.report) as source:
            head = source.head()
            self.tally.task = head.task
            wait_for_turn(self.session, dataset_id=self.dataset_id, progress=progress)
            self._write(source, head, progress)

    def _results(self, file: BinaryIO, progress: Progress) -> None:
        """Predictions instead of annotations."""
        live.dataset_changed(self.session, self.dataset_id)
        options = self.options
        wait_for_turn(self.session, dataset_id=self.dataset_id, progress=progress)
        import_results(
            self.session,
            dataset_id=self.dataset_id,
            user_id=self.user_id,
            file=file,
            name=set_name(options.name, options.file_name),
            subset=options.subset,
            report=self.report,
            tally=self.tally,
            progress=progress,
        )

    def _write(self, source: Source, head: Head, progress: Progress) -> None:
        session, report = self.session, self.report
        total = head.annotation_count
        progress.tell(0, total, "Importing images.")
        if self.options.subset is not None:
            for image in head.images:
                image.subset = None
        if not head.has_ids:
            names.settle_ids(session, dataset_id=self.dataset_id, head=head)
        names.settle_placeholders(session, dataset_id=self.dataset_id, head=head, report=report)
        matches, images = import_images.find_images(
            session,
            dataset_id=self.dataset_id,
            records=head.images,
            report=report,
            beside=self.beside,
        )
        files = import_sizes.file_sizes(matches, report, self.pictures)
        sizes = settle_sizes(source, head, report, files)
        changes = import_images.find_id_changes(images, matches, sizes, report)
        import_images.write_images(
            session,
            dataset_id=self.dataset_id,
            matches=matches,
            sizes=sizes,
            task=head.task,
            subset=self.options.subset or head.subset,
            report=report,
            tally=self.tally,
        )
        if self.pictures is not None:
            for match in matches:
                if match.id:
                    self.pictures.give(match.record, match.id)
        categories = import_categories(
            session,
            dataset_id=self.dataset_id,
            task=head.task,
            records=head.categories,
            report=report,
            tally=self.tally,
        )
        work = AnnotationImport(
            session,
            dataset_id=self.dataset_id,
            task=head.task,
            user_id=self.user_id,
            matches=matches,
            categories=categories,
            report=report,
            tally=self.tally,
        )
        try:
            for batch in source.annotations(sizes):
                work.add(batch, source.frames)
                progress.tell(source.position, total, "Importing annotations.")
        finally:
            # Also when it ends here: a transaction cannot be undone while rows come in.
            work.wait()
        if self.pixels is not None:
            # Before the dataset is locked: filling locks images.
            self.pixels()
        progress.tell(total, total, "Saving.")
        finish.finish(
            session,
            dataset_id=self.dataset_id,
            head=head,
            matches=matches,
            annotations=work,
            changes=changes,
            report=report,
            tally=self.tally,
        )
        numbers = self.tally.annotations
        numbers["rejected"] = total - sum(numbers.values())
