"""The list of jobs and their reports."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Dataset, Job, User
from app.web.reports import report_of
from tests.build import make_dataset, make_member, make_user
from tests.conftest import ApiClient
from tests.web.page import read

BrowserOf = Callable[[User], ApiClient]


def _job(session: Session, *, owner: User, dataset: Dataset | None = None, **values: Any) -> Job:
    values = {"kind": "import", "state": "succeeded"} | values
    job = Job(owner_id=owner.id, dataset_id=dataset.id if dataset else None, **values)
    session.add(job)
    session.commit()
    return job


def _issue(code: str, severity: str, number: int = 1) -> dict[str, Any]:
    return {
        "severity": severity,
        "code": code,
        "path": f"annotations[{number}]",
        "id": number,
        "message": f"message {number}",
        "action": "kept as it is",
    }


def test_a_report_groups_issues_for_a_person() -> None:
    issues = [_issue("id_missing", "error"), *(_issue("top_level", "error", n) for n in range(60))]
    issues += [_issue("duplicate_key", "warning"), _issue("unheard_of", "info")]
    job = Job(
        kind="import",
        state="succeeded",
        result={
            "images": {"created": 2, "updated": 0, "unchanged": 1},
            "annotations": {"created": 5, "updated": 0, "unchanged": 0, "rejected": 61},
            "issues": issues,
            "issue_counts": {
                "id_missing": 1,
                "top_level": 900,
                "duplicate_key": 1,
                "rle_short": 3,
            },
            "mode": "lenient",
            "dry_run": True,
            "imported": False,
        },
    )
    report = report_of(job)
    assert [(g.code, g.severity, g.count) for g in report.groups] == [
        ("top_level", "error", 900),
        ("rle_short", "error", 3),
        ("id_missing", "error", 1),
        ("duplicate_key", "warning", 1),
        ("unheard_of", "info", 1),
    ]
    assert report.issue_count == 906
    assert len(report.groups[0].examples) == 50
    assert report.groups[2].title == "An image or a category without an id."
    assert report.groups[2].fix == "Give the record an id of its own."
    assert (report.groups[4].title, report.groups[4].fix) == ("Unheard of", "")
    assert report.groups[2].examples[0].where == "annotations[1], id 1"
    assert report.groups[0].actions == ["kept as it is"]
    assert report.columns == ["created", "updated", "unchanged", "rejected"]
    assert report.facts == []
    assert "only a try" in report.advice


@pytest.mark.parametrize("result", [None, {}, {"issues": []}, {"size": 12, "file": "a.zip"}])
def test_any_result_has_a_page(
    session: Session, browser_of: BrowserOf, result: dict[str, Any] | None
) -> None:
    user = make_user(session)
    for state in ("succeeded", "failed", "cancelled"):
        job = _job(session, owner=user, kind="other_work", state=state, result=result)
        page = browser_of(user).get(f"/jobs/{job.id}").text
        assert "Other work" in page
        assert state.capitalize() in page


def test_a_report_says_how_to_mend_what_it_lists(session: Session, browser_of: BrowserOf) -> None:
    user = make_user(session)
    result = {"issues": [_issue("segmentation_flat", "warning")]}
    page = browser_of(user).get(f"/jobs/{_job(session, owner=user, result=result).id}").text
    assert "How to mend it:" in page
    assert "Put the list of numbers into a list" in page


def test_the_list_offers_what_one_may_do(session: Session, browser_of: BrowserOf) -> None:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner, name="Kitchens")
    annotator = make_member(session, dataset=dataset, role="annotator")
    running = _job(session, owner=owner, dataset=dataset, state="running", done=1, total=4)
    done = _job(
        session,
        owner=owner,
        dataset=dataset,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        finished_at=datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC),
    )
    cancel = {"data_url": f"/api/jobs/{running.id}", "data_method": "DELETE"}
    mine = read(browser_of(owner).get("/jobs").text)
    assert len(mine.all("button", **cancel)) == 1
    assert mine.one("progress").attributes["value"] == "1"
    assert f"/jobs/{done.id}" in mine.links()
    assert "took 3.0 s" in mine.one("main").text
    theirs = read(browser_of(annotator).get("/jobs").text)
    assert theirs.all("button", **cancel) == []
    assert "Kitchens" in theirs.one("main").text
    assert "Kitchens" not in browser_of(make_user(session)).get("/jobs").text


def test_old_jobs_stand_on_the_next_page(
    session: Session, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.jobs.PAGE_SIZE", 2)
    user = make_user(session)
    ids = [_job(session, owner=user).id for _ in range(3)]
    browser = browser_of(user)
    first = read(browser.get("/jobs").text)
    [older] = [link for link in first.links() if link.startswith("/jobs?cursor=")]
    assert f"/jobs/{ids[0]}" not in first.links()
    assert f"/jobs/{ids[0]}" in read(browser.get(older).text).links()


def test_a_running_job_is_followed(session: Session, browser_of: BrowserOf) -> None:
    user = make_user(session)
    job = _job(session, owner=user, state="running")
    page = read(browser_of(user).get(f"/jobs/{job.id}").text)
    assert page.one("section", data_controller="job")["data-url"] == f"/api/jobs/{job.id}/events"


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        ("complete", "Succeeded"),
        ("partial", "Partly done"),
        ("nothing", "Nothing imported"),
        (None, "Succeeded"),
    ],
)
def test_what_a_job_came_to(
    session: Session, browser_of: BrowserOf, outcome: str | None, tag: str
) -> None:
    user = make_user(session)
    result = {"annotations": {"created": 0, "rejected": 3}, "issue_counts": {"image_unknown": 3}}
    job = _job(session, owner=user, result=result | ({"outcome": outcome} if outcome else {}))
    browser = browser_of(user)
    for path in ("/jobs", f"/jobs/{job.id}", f"/jobs/{job.id}/report"):
        spans = read(browser.get(path).text).all("span")
        shown = [one.text for one in spans if one.attributes.get("class", "").startswith("tag ")]
        assert shown == [tag]
