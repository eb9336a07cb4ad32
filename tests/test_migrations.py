"""The migrations make exactly the tables that the models describe."""

import json
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, make_url, text

from app.db import connect, is_migrated, migrate, session_factory
from app.models import Base
from app.services.exports.exports import ExportOptions, export_file, snapshot


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"include_object": _ours, "compare_server_default": True}
        migrations = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(migrations, Base.metadata) == []


def test_an_empty_database_becomes_a_migrated_one(engine: Engine) -> None:
    """The session's database began empty."""
    tables = set(inspect(engine).get_table_names())
    assert {"users", "annotations", "procrastinate_jobs"} <= tables
    assert is_migrated(engine)


def test_migrating_twice_changes_nothing(database_url: str, engine: Engine) -> None:
    before = sorted(inspect(engine).get_table_names())
    migrate(database_url)
    assert sorted(inspect(engine).get_table_names()) == before


@pytest.fixture
def older_url(database_url: str, engine: Engine) -> Iterator[str]:
    """An empty database beside the one of the tests."""
    name = "maskwright_older"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
        url = make_url(database_url).set(database=name)
        yield url.render_as_string(hide_password=False)
        connection.execute(text(f"drop database {name} with (force)"))


_OLDER = """
    insert into datasets (id, name, envelope)
    values (1, 'imported', '{"info":{"year": 1e3},"images":[],"annotations":[],"categories":[]}'),
           (2, 'made here', null);
    insert into images (id, dataset_id, coco_id, file_name, match_name, width, height, record)
    values (1, 1, '7', 'a.jpg', 'a.jpg', 8, 6, '{"id":7,"file_name":"a.jpg"}'),
           (2, 1, '8', 'b.jpg', 'b.jpg', 8, 6, null), (3, 2, '1', 'c.jpg', 'c.jpg', 8, 6, null);
    insert into categories (id, dataset_id, coco_id, name, color, record)
    values (1, 1, '1', 'cat', '#ffffff', '{"id":1.0,"name":"cat"}');
    insert into annotations (dataset_id, image_id, category_id, coco_id, record, area, bbox)
    values (1, 1, 1, '5', '{"id":5,"image_id":7,"category_id":1,"bbox":[1,2,3,4.0]}', 12,
            '{1,2,3,4}'),
           (1, 2, null, '6', '{"id":6,"image_id":8,"caption":"A cat."}', 0, '{0,0,0,0}'),
           (2, 3, null, '1', '{"id":1,"image_id":1,"caption":"A dog."}', 0, '{0,0,0,0}');
"""


def test_older_data_is_told_apart_by_task(older_url: str) -> None:
    """Until then every file was one of instances, and every annotation in every export."""
    migrate(older_url, "0003")
    older = connect(older_url)
    with older.begin() as connection:
        connection.execute(text(_OLDER.replace(":", "\\:")))
    migrate(older_url)

    def exported(dataset_id: int, task: str) -> str:
        with snapshot(session_factory(older)) as session:
            options = ExportOptions(task=task)
            return b"".join(export_file(session, dataset_id=dataset_id, options=options)).decode()

    found = exported(1, "instances")
    assert '"info":{"year": 1e3}' in found
    file = json.loads(found)
    assert [image["id"] for image in file["images"]] == [7, 8]
    assert [record["id"] for record in file["annotations"]] == [5]
    assert '{"id":1.0,"name":"cat"}' in found
    for dataset_id, wanted in ((1, 6), (2, 1)):
        captions = json.loads(exported(dataset_id, "captions"))
        assert [record["id"] for record in captions["annotations"]] == [wanted]
        assert "categories" not in captions
    older.dispose()
