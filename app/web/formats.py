"""How values are written on pages."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

__all__ = ["FILTERS", "count", "email", "file_size", "initials", "number", "query_string", "when"]


def number(value: float) -> str:
    """1068 as 1,068."""
    return f"{value:,}"


def count(value: int, one: str, many: str | None = None) -> str:
    """``1 image``, ``1,068 images``."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def percent(part: float, whole: float) -> str:
    """A share as an SVG length: ``40.0%``."""
    return f"{100 * part / whole if whole else 0:.3f}%"


def file_size(size: int) -> str:
    """Bytes in the largest fitting unit of 1000: 1.2 MB."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"


def when(moment: datetime | None, missing: str = "never") -> Markup | str:
    """A moment in UTC; the page's script shows it in the reader's own time."""
    if moment is None:
        return missing
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%d %b %Y, %H:%M UTC")
    )


def initials(name: str) -> str:
    """Two letters for a person: of the first and last word, or of the address."""
    words = name.partition("@")[0].replace(".", " ").replace("-", " ").replace("_", " ").split()
    letters = words[0][:2] if len(words) == 1 else "".join(w[0] for w in (words[:1] + words[-1:]))
    return letters.upper() or "?"


def query_string(values: dict[str, Any]) -> str:
    """``?status=new&category=3``; nothing for no values, lists repeat their name."""
    kept = {key: value for key, value in values.items() if value not in (None, "", [], ())}
    return "?" + urlencode(kept, doseq=True) if kept else ""


def email(address: str) -> Markup:
    """An address that breaks behind its @ where there is little room."""
    name, at, host = address.partition("@")
    return Markup("{}{}<wbr>{}").format(name, at, host)


FILTERS = {
    "email": email,
    "number": number,
    "count": count,
    "percent": percent,
    "file_size": file_size,
    "when": when,
    "initials": initials,
}
