"""How long a warm start takes."""

import statistics
from collections.abc import Iterator

from tests.bench import Row
from tests.serving import first_page_seconds

__all__ = ["measure"]


def measure() -> Iterator[Row]:
    times = [first_page_seconds() for _ in range(3)]
    yield Row("warm start to first page", statistics.median(times), "s", 3.0)
