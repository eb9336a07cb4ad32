"""The first page of the grid over a small and over a large dataset."""

import time
from collections.abc import Iterator

import psycopg

from app.embedded_postgres import EmbeddedPostgres
from tests.bench import Row, percentile
from tests.serving import Server, running

__all__ = ["measure"]

SIZES = (1_000, 100_000)
REQUESTS = 100

_FILL = """
insert into images (dataset_id, coco_id, file_name, match_name, width, height, subset, status,
                    annotation_count)
select %(dataset)s, to_jsonb(n), format('train/%%s.jpg', n), format('train/%%s.jpg', n), 640, 480,
       (array['train', 'val'])[1 + n %% 2], (array['new', 'in_progress', 'done'])[1 + n %% 3],
       n %% 20
from generate_series(1, %(size)s) as n
"""
_COUNT = """
insert into dataset_counts (dataset_id, status, images, annotations)
select dataset_id, status, count(*), sum(annotation_count) from images
where dataset_id = %(dataset)s group by dataset_id, status
"""


def _fill(server: Server, size: int) -> int:
    made = server.client.post("/api/datasets", json={"name": f"{size} images"}).json()
    url = EmbeddedPostgres(server.data_dir).url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        values = {"dataset": made["id"], "size": size}
        connection.execute(_FILL, values)
        connection.execute(_COUNT, values)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("analyze images")
    return int(made["id"])


def _times(server: Server, path: str) -> list[float]:
    times = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        server.client.get(path).raise_for_status()
        times.append(1000 * (time.perf_counter() - begun))
    return times


def measure() -> Iterator[Row]:
    with running() as server:
        for size in SIZES:
            dataset = _fill(server, size)
            for what, path in (
                ("first images over REST", f"/api/datasets/{dataset}/images"),
                ("by annotation count", f"/api/datasets/{dataset}/images?sort=-annotation_count"),
                ("filtered by name", f"/api/datasets/{dataset}/images?q=99"),
                ("first page of the grid", f"/datasets/{dataset}"),
            ):
                p95 = percentile(_times(server, path), 0.95)
                yield Row(f"{what}, {size:,} images, p95", p95, "ms", 50.0)
