"""A repaired copy of a COCO file, which differs from it in the repaired records only.

The reader says what is wrong and where; `app.formats.coco.repair` mends what is clear. The copy is
made of the file's own bytes: records that nothing is wrong with, what stands between them, and all
other members come out byte for byte. A file in UTF-16 or UTF-32 comes out as UTF-8.
"""

import itertools
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import msgspec

from app import masks
from app.formats.coco import panoptic, rawjson, values
from app.formats.coco.encoding import as_utf8
from app.formats.coco.reader import CocoReader
from app.formats.coco.repair import REPAIRS, SWAPPED, Repair, absent, repair
from app.formats.coco.stream import Member, Records, Stream
from app.formats.issues import ISSUES
from app.formats.records import AnnotationRecord, Pngs, Reading, Report, Size
from app.formats.sizes import settle_sizes

__all__ = ["Repaired", "fix"]

_RECORD = re.compile(
    r"((?:images|categories|annotations)\[\d+\](?:\.segments_info\[\d+\])?)(?:\.(.*))?", re.DOTALL
)
_BETWEEN = b" \t\r\n,["
_COPY_BYTES = 1 << 20
_FROM_PIXELS = ("segment_area_differs", "computed from the PNG")


class Repaired(NamedTuple):
    """One thing that was changed.

    `code` is that of the issue; ``filled`` for a member that was absent, and ``encoding`` where the
    whole file has another one.
    """

    code: str
    path: str
    id: Any
    done: str


class _Finding(NamedTuple):
    code: str
    path: str
    member: str
    id: Any


class _Findings(Report):
    """A report that keeps every issue of every record, however many there are."""

    def __init__(self) -> None:
        super().__init__("lenient")
        self.records: defaultdict[str, list[_Finding]] = defaultdict(list)
        self.ids: list[Any] = []

    def add(
        self,
        code: str,
        path: str,
        message: str,
        *,
        id: Any = None,  # noqa: A002 - as in the report
        action: str | None = None,
    ) -> None:
        super().add(code, path, message, id=id, action=action)
        found = _RECORD.fullmatch(path)
        if found is not None:
            self.records[found[1]].append(_Finding(code, path, found[2] or "", id))
            self.ids.append(id)


@dataclass
class _Plan:
    """What to do with which record, by its path such as ``annotations[3]``.

    A segment of a panoptic file is a record as well, within that of its image, and `frames` are the
    images' records with something to do in their segments. `highest` is the highest id of each kind
    of records. `saved` says that something was done to a record that the reader had rejected, so
    that there may be more to see in it now.
    """

    findings: dict[str, list[_Finding]]
    drop: bool
    highest: dict[str, int]
    fills: dict[str, dict[str, str]] = field(default_factory=dict)
    repairs: Mapping[str, Repair] = field(default_factory=lambda: REPAIRS)
    saved: bool = False
    frames: set[str] = field(init=False)

    def __post_init__(self) -> None:
        touched = itertools.chain(self.findings, self.fills)
        self.frames = {path.partition(".")[0] for path in touched if "." in path}

    @property
    def may_save(self) -> bool:
        return any(
            _fatal(found) and any(one.code in self.repairs for one in found)
            for found in self.findings.values()
        )


def _fatal(findings: list[_Finding]) -> list[_Finding]:
    """Those for which the record is rejected; pixels that no segment lists reject nothing."""
    return [
        one
        for one in findings
        if ISSUES[one.code].severity == "error" and one.code != "segment_unlisted"
    ]


def fix(
    source: BinaryIO,
    target: BinaryIO,
    *,
    name: str = "",
    task: str = "auto",
    drop: bool = False,
    fill: bool = False,
    swapped: str | None = None,
    pngs: Pngs | None = None,
) -> list[Repaired]:
    """Write a repaired copy of an open file to another one; returns what was repaired.

    `source` is a file of the disk, called `name`. With `drop`, records that cannot be imported are
    left out; with `fill`, an absent `area`, `bbox` or `iscrowd` is added as it is computed for
    display, and so are the width and height of an image that masks tell; segments of a panoptic
    file, which needs its `pngs`, get the area and box of their pixels. `swapped` is one of
    `SWAPPED`: what RLEs whose size is [width, height] are meant as. Raises FileError for a file
    that cannot be read at all, before anything is written.
    """
    repairs = REPAIRS if swapped is None else REPAIRS | {"rle_size_swapped": SWAPPED[swapped]}
    look = partial(_look, pngs=pngs, name=name, task=task, drop=drop, fill=fill, repairs=repairs)
    with as_utf8(source) as text, ExitStack() as drafts:
        start = text.tell()
        as_it_is = text is source
        done = [] if as_it_is else [Repaired("encoding", "file", None, "written as UTF-8")]
        plan = look(text)
        while plan.may_save:
            # Nothing else is looked for in a record that is rejected, and it must not be dropped
            # before its repairs are done: so these come first, in a copy that is looked at again.
            draft = drafts.enter_context(tempfile.TemporaryFile())
            text.seek(start)
            first = replace(plan, drop=False)
            repaired = list(_copy(text, draft, first, whole=as_it_is))
            if not first.saved:
                break
            done += repaired
            draft.flush()
            draft.seek(start)
            text = draft
            plan = look(text)
        text.seek(start)
        return done + list(_copy(text, target, plan, whole=as_it_is))


# What to do ------------------------------------------------------------------------------------


def _look(
    text: BinaryIO,
    *,
    pngs: Pngs | None,
    name: str,
    task: str,
    drop: bool,
    fill: bool,
    repairs: Mapping[str, Repair],
) -> _Plan:
    report = _Findings()
    reader = CocoReader(text, Reading(report, task, name, pngs))
    head = reader.head()
    sizes = settle_sizes(reader, head, report, {})
    fills: dict[str, dict[str, str]] = {}
    ids: list[Any] = []
    for batch in reader.annotations(sizes):
        for record in batch:
            ids.append(record.coco_id)
            lacking = _of_pixels if head.task == "panoptic" else _absent
            if fill and (members := lacking(record)):
                fills[record.path] = members
    if fill:
        for image, size in zip(head.images, sizes, strict=True):
            if image.width is None and size is not None:
                fills[image.path] = _size_members(size)
    known = {
        "images": [image.coco_id for image in head.images],
        "categories": [category.coco_id for category in head.categories],
        "annotations": ids,
    }
    # The ids of rejected records are taken, too; of which kind does not matter.
    highest = {
        kind: values.highest_id(itertools.chain(found, report.ids)) for kind, found in known.items()
    }
    return _Plan(report.records, drop, highest, fills, repairs)


def _absent(record: AnnotationRecord) -> dict[str, str]:
    """What an annotation lacks, as the reader computed it."""
    return absent(
        rawjson.members(record.text),
        area=record.area,
        bbox=record.bbox,
        iscrowd=record.iscrowd,
    )


def _of_pixels(record: AnnotationRecord) -> dict[str, str]:
    """What a segment lacks, or says otherwise than its pixels do."""
    own = rawjson.members(record.text)
    pixels = masks.from_dicts([rawjson.decode(own["segmentation"])])
    drawn = rawjson.members(panoptic.segment_text(record.text, pixels=pixels))
    members = {name: drawn[name] for name in ("area", "bbox") if _differs(own, name, drawn[name])}
    crowd = _absent(record).get("iscrowd")
    return members if crowd is None else members | {"iscrowd": crowd}


def _differs(parts: dict[str, str], name: str, text: str) -> bool:
    return bool(rawjson.decode(parts.get(name, "null")) != rawjson.decode(text))


def _size_members(size: Size) -> dict[str, str]:
    height, width = size
    return {"width": str(width), "height": str(height)}


# The copy --------------------------------------------------------------------------------------


def _copy(text: BinaryIO, target: BinaryIO, plan: _Plan, *, whole: bool) -> Iterator[Repaired]:
    """Copy the file, records with something to do rewritten; `whole` with its byte order mark."""
    stream = Stream(text)
    new_ids: dict[str, Iterator[int]] = {
        kind: itertools.count(number + 1) for kind, number in plan.highest.items()
    }
    place = 0 if whole else stream.place
    kept = False
    for part in stream.read():
        if isinstance(part, Member):
            kept = False
            if part.text == b"":
                _copy_range(text, target, place, stream.place)
                place = stream.place
        else:
            raw = os.pread(text.fileno(), stream.place - place, place)
            place = stream.place
            kept = yield from _write(raw, part, target, plan, new_ids, kept=kept)
    _copy_range(text, target, place, os.fstat(text.fileno()).st_size)


def _copy_range(text: BinaryIO, target: BinaryIO, start: int, stop: int) -> None:
    while start < stop:
        block = os.pread(text.fileno(), min(_COPY_BYTES, stop - start), start)
        target.write(block)
        start += len(block)


def _write(
    raw: bytes,
    part: Records,
    target: BinaryIO,
    plan: _Plan,
    new_ids: dict[str, Iterator[int]],
    *,
    kept: bool,
) -> Generator[Repaired, None, bool]:
    """Write some records of a list with what stands around them; whether one was kept so far."""
    at = 0
    for index, record in enumerate(part.records, start=part.start):
        begin = at
        while raw[begin] in _BETWEEN:
            begin += 1
        end = begin + len(record)
        text, done = _treated(raw[begin:end], f"{part.key}[{index}]", plan, new_ids[part.key])
        yield from done
        if text is not None:
            # The comma before the first one that stays belonged to one that went.
            between = raw[at:begin]
            target.write(between if kept or index == 0 else between.replace(b",", b"", 1))
            target.write(text)
            kept = True
        elif index == 0:
            target.write(raw[at:begin])
        at = end
    target.write(raw[at:])
    return kept


def _treated(
    record: bytes, path: str, plan: _Plan, new_ids: Iterator[int]
) -> tuple[bytes | None, list[Repaired]]:
    """The record as it is written, None for not at all, and what was done to it."""
    findings, fills = plan.findings.get(path, []), plan.fills.get(path, {})
    if not findings and not fills and path not in plan.frames:
        return record, []
    fatal = _fatal(findings)
    done: list[Repaired] = []
    inner: list[Repaired] = []
    parts = _parts(record, findings)
    if parts is not None:
        before = dict(parts)
        if path in plan.frames:
            inner = _segments(parts, path, plan)
        for one in findings:
            changed = repair(one.code, parts, one.member, new_ids, plan.repairs)
            if changed or _same_repair(one, done, plan.repairs):
                done.append(Repaired(one.code, one.path, one.id, plan.repairs[one.code].done))
        for name, text in fills.items():
            if not _differs(parts, name, text):
                continue
            is_absent = parts.get(name, "null") in ("null", "[]")
            code, what = ("filled", "added") if is_absent else _FROM_PIXELS
            parts[name] = text
            done.append(Repaired(code, f"{path}.{name}", _id_of(findings, parts), what))
        if parts != before:
            record = rawjson.join(parts).encode()
            plan.saved |= bool(fatal)
    repaired = {one.code for one in done}
    left = [one for one in fatal if one.code not in repaired]
    if left and plan.drop:
        return None, [Repaired(left[0].code, path, left[0].id, "record left out")]
    return record, inner + done


def _segments(parts: dict[str, str], path: str, plan: _Plan) -> list[Repaired]:
    """Treat the segments of an image's record; what was done to them."""
    done: list[Repaired] = []
    kept: list[str] = []
    seen: list[Any] = []
    for index, segment in enumerate(rawjson.elements(parts["segments_info"])):
        own = f"{path}.segments_info[{index}]"
        twice = [one for one in plan.findings.get(own, []) if one.code == "segment_id_duplicate"]
        if twice and rawjson.decode(segment) in seen:
            one = twice[0]
            done.append(Repaired(one.code, one.path, one.id, REPAIRS[one.code].done))
            plan.saved = True
            continue
        if twice:
            seen.append(rawjson.decode(segment))
        text, repairs = _treated(segment.encode(), own, plan, itertools.count(1))
        done += repairs
        if text is not None:
            kept.append(text.decode())
    if done:
        parts["segments_info"] = "[" + ",".join(kept) + "]"
    return done


def _same_repair(finding: _Finding, done: list[Repaired], repairs: Mapping[str, Repair]) -> bool:
    """Whether an earlier repair of the record, which mends all polygons at once, did this, too."""
    mine = repairs.get(finding.code)
    return mine is not None and any(repairs[one.code].apply is mine.apply for one in done)


def _parts(record: bytes, findings: list[_Finding]) -> dict[str, str] | None:
    """The record's members; None for one whose meaning is not clear, or that is no object."""
    if any(one.code == "duplicate_key" for one in findings):
        return None
    try:
        return rawjson.members(record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _id_of(findings: list[_Finding], parts: dict[str, str]) -> Any:
    return findings[0].id if findings else rawjson.decode(parts.get("id", "null"))
