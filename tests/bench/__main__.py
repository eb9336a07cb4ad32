"""Runs the subjects named on the command line, or all of them."""

import sys

from tests.bench import Row, grid, large_files, masks, saving, starting, transfers

SUBJECTS = {
    "masks": masks.measure,
    "starting": starting.measure,
    "transfers": transfers.measure,
    "large_files": large_files.measure,
    "grid": grid.measure,
    "saving": saving.measure,
}


def _line(row: Row) -> str:
    verdict = {True: "reached", False: "MISSED", None: ""}[row.reached]
    target = "" if row.target is None else f"{'>=' if row.at_least else '<='} {row.target:g}"
    return f"{row.what:<48}{row.value:>10.3g} {row.unit:<6}{target:>10}  {verdict:<8}{row.note}"


def main(names: list[str]) -> int:
    for name in names or SUBJECTS:
        for row in SUBJECTS[name]():
            print(_line(row), flush=True)  # noqa: T201 - a table is what was asked for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
