"""The report of ``maskwright check`` as one page that needs no server, no script and no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.formats.coco.fix import Repaired
from app.formats.coco.repair import REPAIRS
from app.web import formats
from app.web.reports import Group, groups_of

__all__ = ["Checked", "render"]

# Beside this module and not among the templates of pages that are served: it carries its own style.
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Checked:
    """One annotation file: its report and, where it was repaired, what was done and is left."""

    name: str
    report: Mapping[str, Any]
    repairs: Sequence[Repaired] = ()
    remaining: Mapping[str, Any] | None = None

    @property
    def groups(self) -> list[Group]:
        return groups_of(self.report)


def render(files: Sequence[Checked], *, title: str) -> str:
    """The page, in light and dark."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formats.FILTERS)
    template = environment.get_template("check_page.html")
    return template.render(files=files, title=title, repairable=REPAIRS.keys())
