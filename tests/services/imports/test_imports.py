"""Imports against a real database: what is made, found, changed, left alone and undone."""

import io
import json
import threading
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.context import AppContext
from app.errors import StaleVersion
from app.models import Annotation, AnnotationVersion, Category, Dataset, DatasetTask, Image
from app.services.annotations import annotations
from app.services.annotations.shapes import Json
from app.services.datasets import counts, datasets
from app.services.imports.imports import ImportFailed, import_file
from app.services.imports.tally import told_of
from app.services.jobs import JobCancelled
from tests.build import make_category, make_image, make_user
from tests.build.coco import annotation, coco, to_bytes
from tests.build.content import everything
from tests.services.importing import Import, numbers, only


def test_a_first_import(imported: Import, session: Session, dataset: Dataset) -> None:
    file = coco(annotation(note="kept"), annotation(id=90, area=1), licenses=[{"id": 3}])
    result = imported(file)
    assert result["images"] == numbers(created=1)
    assert result["categories"] == numbers(created=1)
    assert result["annotations"] == numbers(created=2) | {"rejected": 0}
    assert (result["issues"], result["issue_counts"]) == ([], {})

    image = only(session, Image)
    assert (image.coco_id, image.width, image.height, image.status) == (1, 8, 6, "new")
    assert (image.annotation_count, image.revision) == (2, 1)
    assert json.loads(image.record) == file["images"][0]
    category = only(session, Category)
    assert (category.coco_id, category.name, category.supercategory) == (1, "cat", None)
    first, second = session.scalars(select(Annotation).order_by(Annotation.id))
    assert json.loads(first.record) == file["annotations"][0]
    assert (first.image_id, first.category_id) == (image.id, category.id)
    assert (second.coco_id, second.version, second.updated_by) == (90, 1, None)
    assert second.created_by == dataset.created_by
    progress = counts.progress(session, dataset_ids=[dataset.id])[dataset.id]
    assert (progress.images, progress.annotations) == (1, 2)
    assert (dataset.next_image_coco_id, dataset.next_annotation_coco_id) == (2, 91)
    kept = session.get_one(DatasetTask, (dataset.id, "instances"))
    assert json.loads(kept.envelope)["licenses"] == [{"id": 3}]


def test_importing_twice_changes_nothing(imported: Import, session: Session) -> None:
    file = coco(annotation(), annotation(id=2), annotation(id="x"), annotation(id=2.5))
    imported(file)
    before = everything(session)
    result = imported(file)
    assert result["images"] == numbers(unchanged=1)
    assert result["categories"] == numbers(unchanged=1)
    assert result["annotations"] == numbers(unchanged=4) | {"rejected": 0}
    assert result["issue_counts"] == {}
    session.commit()
    assert everything(session) == before


def test_twice_with_every_ambiguity(imported: Import, session: Session) -> None:
    """Duplicate ids, missing ids and equal names are found again, each once."""
    file = coco(
        annotation(),
        annotation(area=1),
        annotation(id=...),
        annotation(id=..., area=2),
        images=[
            {"id": 1, "file_name": "a.jpg", "width": 8, "height": 6},
            {"id": 1, "file_name": "b.jpg", "width": 8, "height": 6},
            {"id": 2, "file_name": "a.jpg", "width": 8, "height": 6},
        ],
        categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
    )
    imported(file)
    before = everything(session)
    result = imported(file)
    assert result["images"] == numbers(unchanged=3)
    assert result["categories"] == numbers(unchanged=3)
    assert result["annotations"] == numbers(unchanged=4) | {"rejected": 0}
    session.commit()
    assert everything(session) == before


def test_missing_ids_are_given_above_all_others(imported: Import, session: Session) -> None:
    imported(coco(annotation(id=...), annotation(id=7)))
    found = session.scalars(select(Annotation).order_by(Annotation.id.desc())).first()
    assert found is not None
    assert found.coco_id == 8
    assert json.loads(found.record)["id"] == 8


def test_a_dry_run_tells_the_same_and_changes_nothing(imported: Import, session: Session) -> None:
    file = coco(annotation(), annotation(id=2, image_id=9))
    before = everything(session)
    tried = imported(file, dry_run=True)
    session.commit()
    assert everything(session) == before
    done = imported(file)
    assert {**tried, "dry_run": False, "imported": True} == done
    assert done["annotations"] == numbers(created=1) | {"rejected": 1}


def test_strict_mode_imports_all_or_nothing(imported: Import, session: Session) -> None:
    before = everything(session)
    with pytest.raises(ImportFailed) as caught:
        imported(coco(annotation(), annotation(id=2, image_id=9)), mode="strict")
    assert caught.value.result is not None
    assert caught.value.result["issue_counts"] == {"image_unknown": 1}
    assert caught.value.result["imported"] is False
    assert everything(session) == before
    assert imported(coco(annotation()), mode="strict")["imported"] is True


@pytest.mark.parametrize("file", [b"", b"{", b"[]", coco(annotation())["images"]])
def test_an_unreadable_file_changes_nothing(imported: Import, session: Session, file: Any) -> None:
    imported(coco(annotation()))
    before = everything(session)
    with pytest.raises(ImportFailed) as caught:
        imported(file)
    assert caught.value.result is not None
    assert [issue["severity"] for issue in caught.value.result["issues"]] == ["error"]
    assert everything(session) == before


def test_a_broken_end_undoes_the_beginning(imported: Import, session: Session) -> None:
    before = everything(session)
    with pytest.raises(ImportFailed):
        imported(to_bytes(coco(annotation()))[:-1])
    assert everything(session) == before


def test_cancelling_undoes_everything(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    class Impatient:
        def tell(self, done: int, total: int, message: str = "") -> None:
            if done and total and message:
                raise JobCancelled

    before = everything(session)
    session.commit()
    with pytest.raises(JobCancelled), context.sessions.begin() as own:
        import_file(
            own,
            dataset_id=dataset.id,
            user_id=None,
            file=io.BytesIO(to_bytes(coco(annotation()))),
            progress=Impatient(),
        )
    assert everything(session) == before


# Changes, edits, deletions. ---------------------------------------------------------------------


def test_a_changed_file_changes_what_nobody_edited(imported: Import, session: Session) -> None:
    imported(coco(annotation(note="old", kept=[1.0])))
    result = imported(coco(annotation(note="new", area=8.5)))
    assert result["annotations"] == numbers(updated=1) | {"rejected": 0}
    found = only(session, Annotation)
    assert json.loads(found.record) == annotation(note="new", area=8.5, kept=[1.0])
    assert (found.version, found.area, found.updated_by) == (2, 8.5, None)
    archived = only(session, AnnotationVersion)
    assert json.loads(archived.record)["note"] == "old"
    assert (archived.version, archived.deleted) == (1, False)
    assert only(session, Image).annotation_count == 1


def test_numbers_are_compared_and_not_their_text(imported: Import, session: Session) -> None:
    imported(to_bytes(coco(annotation(area="@"))).replace(b'"@"', b"480.123456789"))
    result = imported(to_bytes(coco(annotation(area="@"))).replace(b'"@"', b"480.12346"))
    assert result["annotations"]["unchanged"] == 1
    assert "480.123456789" in only(session, Annotation).record


def test_keypoints_join_instances(imported: Import, session: Session) -> None:
    file = coco(annotation(segmentation=[1.5, 1, 5, 1, 1, 5]))
    imported(file)
    shape = only(session, Annotation).shape
    more = {key: annotation()[key] for key in ("id", "image_id", "category_id")}
    result = imported(coco(more | {"keypoints": [1, 2, 2], "num_keypoints": 1}))
    assert result["annotations"]["updated"] == 1
    found = only(session, Annotation)
    assert json.loads(found.record) == file["annotations"][0] | {
        "keypoints": [1, 2, 2],
        "num_keypoints": 1,
    }
    assert (found.shape, found.area, found.bbox) == (shape, 7.25, [1, 1, 4, 4])


def test_an_edited_annotation_stays(imported: Import, session: Session) -> None:
    imported(coco(annotation()))
    found = only(session, Annotation)
    annotations.change_annotation(
        session,
        annotation=found,
        user=make_user(session),
        fields={"iscrowd": Json.of(1)},
        expected=None,
    )
    result = imported(coco(annotation(area=3)))
    assert result["annotations"]["unchanged"] == 1
    assert result["issue_counts"] == {"annotation_edited": 1}
    assert only(session, Annotation).version == 2


def test_a_deleted_annotation_is_not_brought_back(imported: Import, session: Session) -> None:
    imported(coco(annotation()))
    found = only(session, Annotation)
    annotations.delete_annotation(session, annotation=found, user=make_user(session), expected=None)
    for file in (coco(annotation()), coco(annotation(area=3))):
        result = imported(file)
        assert result["annotations"]["unchanged"] == 1
        assert result["issue_counts"] == {"annotation_deleted": 1}
    assert only(session, Annotation).deleted_at is not None


def test_ids_made_here_make_way(imported: Import, session: Session, dataset: Dataset) -> None:
    """Nothing imported is renumbered; an image and an annotation made here are."""
    image = make_image(session, dataset=dataset, file_name="mine.jpg")
    category = make_category(session, dataset=dataset, name="cat")
    user = make_user(session)
    made = annotations.create_annotation(
        session,
        image=image,
        user=user,
        fields={"category_id": Json.of(category.id), "bbox": Json.of([1, 2, 3, 4])},
    )
    annotations.change_annotation(
        session, annotation=made, user=user, fields={"bbox": Json.of([1, 1, 1, 1])}, expected=None
    )
    session.commit()
    assert (image.coco_id, made.coco_id) == (1, 1)
    result = imported(coco(annotation()))
    assert result["issue_counts"] == {"image_id_changed": 1, "annotation_id_changed": 1}
    assert (image.coco_id, made.coco_id) == (2, 2)
    assert json.loads(made.record)["id"] == 2
    assert json.loads(made.record)["image_id"] == 2
    archived = session.get_one(AnnotationVersion, (made.id, 1))
    assert json.loads(archived.record)["image_id"] == 2
    assert (dataset.next_image_coco_id, dataset.next_annotation_coco_id) == (3, 3)


# Categories and the envelope. -------------------------------------------------------------------


def test_categories_keep_what_was_changed_here(imported: Import, session: Session) -> None:
    imported(coco(categories=[{"id": 1, "name": "cat", "supercategory": "animal"}]))
    result = imported(
        coco(
            categories=[
                {"id": 1, "name": "cat", "supercategory": "pet", "keypoints": ["tail"]},
            ]
        )
    )
    assert result["categories"] == numbers(updated=1)
    assert result["issue_counts"] == {"category_differs": 1}
    record = json.loads(only(session, Category).record)
    assert record["supercategory"] == "animal"
    assert record["keypoints"] == ["tail"]


def test_categories_have_their_keypoints_and_colour(imported: Import, session: Session) -> None:
    record = {
        "id": 5,
        "name": "person",
        "supercategory": "being",
        "color": [255, 0, 128],
        "isthing": 0,
        "keypoints": ["nose", "eye"],
        "skeleton": [[1, 2]],
    }
    imported(coco(categories=[record]))
    category = only(session, Category)
    assert (category.color, category.isthing, category.supercategory) == ("#ff0080", False, "being")
    assert (category.keypoints, category.skeleton) == (["nose", "eye"], [[1, 2]])


def test_envelopes_are_joined(imported: Import, session: Session, dataset: Dataset) -> None:
    imported(coco(info={"year": 1}, licenses=[{"id": 1}]))
    result = imported(coco(info={"year": 2}, licenses=[{"id": 1.0}, {"id": 2}], extra=[1.50]))
    assert result["issue_counts"] == {"envelope_conflict": 1}
    envelope = json.loads(only(session, DatasetTask).envelope)
    assert envelope["info"] == {"year": 1}
    assert envelope["licenses"] == [{"id": 1}, {"id": 2}]
    assert envelope["extra"] == [1.5]
    result = imported(coco(info={"year": 1}, licenses=[{"id": 2, "name": "other"}]))
    assert result["issue_counts"] == {"envelope_conflict": 1}


def test_ids_given_here_start_above_the_imported_ones(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    imported(coco(annotation(id=900100002299), annotation(id=2**60), annotation(id="7")))
    first = datasets.take_coco_ids(session, dataset_id=dataset.id, kind="annotation")
    assert first == 900100002300


def test_two_imports_at_once_wait_for_each_other(
    context: AppContext, session: Session, dataset: Dataset
) -> None:
    text = to_bytes(coco(*(annotation(id=number) for number in range(500))))
    session.commit()
    dataset_id, results = dataset.id, []

    def work() -> None:
        with context.sessions.begin() as own:
            file = io.BytesIO(text)
            results.append(import_file(own, dataset_id=dataset_id, user_id=None, file=file))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(result["annotations"]["created"] for result in results) == [0, 0, 500]
    assert only(session, Image).annotation_count == 500


def test_people_go_on_saving_meanwhile(
    context: AppContext, session: Session, dataset: Dataset, imported: Import
) -> None:
    """Edits of the very annotations that a file changes: whoever is first, nothing is lost."""
    imported(coco(*(annotation(id=number) for number in range(40))))
    user = make_user(session)
    found = session.scalars(select(Annotation.id).order_by(Annotation.id)).all()
    session.commit()
    # The other thread must not load it through the session of this one.
    session.refresh(user)
    session.expunge(user)

    def edit(key: int) -> None:
        with context.sessions.begin() as own:
            annotations.change_annotation(
                own,
                annotation=own.get_one(Annotation, key),
                user=user,
                fields={"iscrowd": Json.of(1)},
                expected=None,
            )

    def edit_all() -> None:
        for key in found:
            try:
                edit(key)
            except StaleVersion:
                # The import came in between, and the next try is on its state.
                edit(key)

    editor = threading.Thread(target=edit_all)
    editor.start()
    result = imported(coco(*(annotation(id=number, area=number) for number in range(40))))
    editor.join(60)
    assert result["annotations"]["updated"] + result["annotations"]["unchanged"] == 40
    for row in session.scalars(select(Annotation)):
        assert row.iscrowd
        assert json.loads(row.record)["iscrowd"] == 1


_NO_SIZE = [{"id": 1, "file_name": "a.jpg"}]


@pytest.mark.parametrize(
    ("file", "outcome", "told"),
    [
        (coco(annotation()), "complete", "Done."),
        (coco(), "complete", "Done."),
        (coco(annotation(iscrowd="0")), "complete", "Done."),
        (coco(annotation(), annotation(id=2, image_id=9)), "partial", "annotations rejected: 1."),
        (coco(annotation(), images=[*_NO_SIZE, {}]), "nothing", "rejected: 1."),
        (coco(annotation(image_id=9), annotation(id=2, image_id=9)), "nothing", "rejected: 2."),
        (coco(images=_NO_SIZE), "nothing", "Nothing was imported: see the errors."),
        (coco(categories=[{}]), "partial", "Done, with errors."),
    ],
)
def test_what_an_import_came_to(
    imported: Import, file: dict[str, Any], outcome: str, told: str
) -> None:
    result = imported(file)
    assert result["outcome"] == outcome
    assert told_of(result).endswith(told)
    again = imported(file)
    assert again["outcome"] == outcome


def test_postgresql_knows_of_a_large_import_at_once(
    imported: Import, session: Session, dataset: Dataset
) -> None:
    imported(coco(*(annotation(id=number) for number in range(10_000))))
    query = "explain (format json) select from annotations where dataset_id = :id and task = :task"
    [told] = session.scalars(text(query), {"id": dataset.id, "task": "instances"}).one()
    # Where it expects a row or two it sorts whatever an export asks for, before the first byte.
    assert told["Plan"]["Plan Rows"] > 1_000
