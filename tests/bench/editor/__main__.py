"""Prints the table of the parts that are named, or of all, and what is known of others."""

import sys

from tests.bench.editor.measure import PARTS, PEERS, measure, noise


def main(names: list[str]) -> int:
    print(noise(), flush=True)  # noqa: T201 - a table is what was asked for
    for row in measure(names or PARTS):
        print(row.line(), flush=True)  # noqa: T201
    for line in PEERS:
        print(line, flush=True)  # noqa: T201
    print(noise())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
