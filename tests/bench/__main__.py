"""Runs the subjects named on the command line, or all of them."""

import sys

from tests.bench import grid, large_files, masks, saving, starting, transfers

SUBJECTS = {
    "masks": masks.measure,
    "starting": starting.measure,
    "transfers": transfers.measure,
    "large_files": large_files.measure,
    "grid": grid.measure,
    "saving": saving.measure,
}


def main(names: list[str]) -> int:
    for name in names or SUBJECTS:
        for row in SUBJECTS[name]():
            print(row.line(), flush=True)  # noqa: T201 - a table is what was asked for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
