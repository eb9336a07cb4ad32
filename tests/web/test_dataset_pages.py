"""The dataset's tabs: what they show, and that each role is offered what it may do."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.context import AppContext
from app.models import Dataset, User
from app.services.datasets import categories
from app.services.live import state as live_state
from tests.build import (
    make_annotation,
    make_category,
    make_dataset,
    make_image,
    make_member,
    make_prediction,
    make_user,
)
from tests.conftest import ApiClient
from tests.web.page import Page, read

BrowserOf = Callable[[User], ApiClient]


def _names(page: Page) -> list[str]:
    return [title.text for title in page.all("h3")]


def test_the_list_shows_counts_and_roles(session: Session, browser_of: BrowserOf) -> None:
    dataset = make_dataset(session, name="Kitchens")
    for status in ("done", "empty", "new"):
        make_image(session, dataset=dataset, status=status)
    make_dataset(session, name="Somebody else's")
    viewer = make_member(session, dataset=dataset, role="viewer")
    text = " ".join(read(browser_of(viewer).get("/").text).one("main").text.split())
    assert "Kitchens 3 images · 0 annotations" in text
    assert "viewer" in text
    assert "2 of 3 finished" in text
    assert "Somebody else's" not in text


def test_the_list_goes_on(
    session: Session, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.datasets.PAGE_SIZE", 2)
    owner = make_user(session)
    for name in "abc":
        make_dataset(session, owner=owner, name=name)
    browser = browser_of(owner)
    first = read(browser.get("/").text)
    assert [title.text for title in first.all("h2", _class="card-title")] == ["a", "b"]
    following = first.one("ul", data_controller="grid")["data-next"]
    second = read(browser.get(following).text)
    assert [title.text for title in second.all("h2")] == ["c"]
    assert [li["data-following"] for li in second.all("li") if "hidden" in li.attributes] == [""]


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("owner", {"upload", "import", "masks", "export"}),
        ("annotator", {"export"}),
        ("viewer", {"export"}),
    ],
)
def test_each_role_is_offered_what_it_may_do(
    session: Session, browser_of: BrowserOf, role: str, offered: set[str]
) -> None:
    dataset = make_dataset(session)
    make_category(session, dataset=dataset)
    make_image(session, dataset=dataset)
    browser = browser_of(make_member(session, dataset=dataset, role=role))
    page = read(browser.get(f"/datasets/{dataset.id}").text)
    buttons = page.all("button")
    assert {b["data-opens"] for b in buttons if "data-opens" in b.attributes} == offered
    assert {d["id"] for d in page.all("dialog")} == offered | {"confirm"}
    label = "Look through" if role == "viewer" else "Start annotating"
    assert label in page.one("main").text
    for tab in ("categories", "members", "settings"):
        tab_page = read(browser.get(f"/datasets/{dataset.id}/{tab}").text)
        writing = [
            element
            for element in tab_page.elements
            if element.attributes.get("data-method", "GET") != "GET"
            and element.attributes.get("data-url") != "/api/session"
        ]
        assert bool(writing) == (role == "owner"), tab


def test_filters_stand_in_the_address(session: Session, browser_of: BrowserOf) -> None:
    dataset = make_dataset(session)
    cup, bowl = (make_category(session, dataset=dataset, name=name) for name in ("cup", "bowl"))
    one = make_image(session, dataset=dataset, file_name="a1.jpg", status="done", subset="val")
    make_image(session, dataset=dataset, file_name="a2.jpg")
    two = make_image(session, dataset=dataset, file_name="b1.jpg")
    make_annotation(session, image=one, category=cup)
    make_annotation(session, image=two, category=bowl)
    session.refresh(dataset)
    admin = make_user(session, is_admin=True)
    browser = browser_of(admin)

    def shown(query: str) -> list[str]:
        return _names(read(browser.get(f"/datasets/{dataset.id}?{query}").text))

    assert shown("") == ["a1.jpg", "a2.jpg", "b1.jpg"]
    assert shown("q=1") == ["a1.jpg", "b1.jpg"]
    assert shown(f"category={cup.id}") == ["a1.jpg"]
    assert shown(f"category={cup.id}&category={bowl.id}&sort=-file_name") == ["b1.jpg", "a1.jpg"]
    assert shown("status=done") == ["a1.jpg"]
    assert shown("subset=val") == ["a1.jpg"]
    assert shown("annotated=false") == ["a2.jpg"]
    assert shown("sort=annotation_count")[0] == "a2.jpg"
    # What makes no sense is left out rather than refused: an address may be old.
    assert shown("status=foo&category=x&category=99999999999999999999&sort=y&annotated=") == [
        "a1.jpg",
        "a2.jpg",
        "b1.jpg",
    ]
    page = read(browser.get(f"/datasets/{dataset.id}?q=1&status=done").text)
    assert f"/images/{one.id}?q=1&status=done&sort=file_name" in page.links()
    assert f"/datasets/{dataset.id}/start?q=1&status=done&sort=file_name" in page.links()
    assert page.one("input", name="q")["value"] == "1"
    assert "1 image" in page.one("form", role="search").text
    nothing = browser.get(f"/datasets/{dataset.id}?q=zzz").text
    assert "No image fits these filters" in nothing


@pytest.mark.parametrize("sort", ["file_name", "-created_at", "annotation_count", "id"])
def test_the_grid_goes_on_where_it_ended(
    session: Session, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("app.web.images.PAGE_SIZE", 2)
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    for number in range(5):
        make_image(session, dataset=dataset, file_name=f"{number}.jpg")
    browser = browser_of(owner)
    first = read(browser.get(f"/datasets/{dataset.id}?sort={sort}").text)
    names, following = _names(first), first.one("ul", id="images")["data-next"]
    while following:
        part = read(browser.get(following).text)
        names += _names(part)
        [following] = [li["data-following"] for li in part.all("li") if "hidden" in li.attributes]
    wanted = [f"{number}.jpg" for number in range(5)]
    assert names == (wanted[::-1] if sort.startswith("-") else wanted)


def test_a_cursor_of_another_list_is_refused(session: Session, browser_of: BrowserOf) -> None:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    for cursor in ("nonsense", "WyJhIiwxXQ"):
        answer = browser_of(owner).get(f"/datasets/{dataset.id}/images?sort=id&cursor={cursor}")
        assert answer.status_code == 400


def test_start_leads_to_the_first_new_image(session: Session, browser_of: BrowserOf) -> None:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    browser = browser_of(owner)
    start = f"/datasets/{dataset.id}/start"
    back = browser.get(start).headers["location"]
    assert back == f"/datasets/{dataset.id}?sort=file_name"
    done = make_image(session, dataset=dataset, file_name="1.jpg", status="done")
    assert browser.get(start).headers["location"].startswith(f"/images/{done.id}?")
    begun = make_image(session, dataset=dataset, file_name="2.jpg", status="in_progress")
    assert browser.get(start).headers["location"].startswith(f"/images/{begun.id}?")
    new = make_image(session, dataset=dataset, file_name="3.jpg")
    assert browser.get(start).headers["location"] == f"/images/{new.id}?sort=file_name"
    only = browser.get(f"{start}?status=done").headers["location"]
    assert only == f"/images/{done.id}?status=done&sort=file_name"


def test_the_editor_knows_what_it_opens(session: Session, browser_of: BrowserOf) -> None:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner, name="</script><b>")
    image = make_image(session, dataset=dataset, file_name="<!--<script>.jpg")
    make_category(session, dataset=dataset, name="person", keypoints=["a", "b"], skeleton=[[1, 2]])
    browser = browser_of(owner)
    page = read(browser.get(f"/images/{image.id}?status=new&nonsense=1").text)
    block = page.one("script", type="application/json", id="maskwright-page")
    data = json.loads(block.text)
    assert data["image"] == browser.get(f"/api/images/{image.id}").json()
    assert data["dataset"] == {"id": dataset.id, "name": "</script><b>"}
    since = data["user"].pop("since")
    assert datetime.fromisoformat(since) == owner.created_at
    assert data["user"] == {"id": owner.id, "email": owner.email, "name": owner.name}
    assert data["role"] == "owner"
    categories = browser.get(f"/api/datasets/{dataset.id}/categories").json()["items"]
    assert data["categories"] == [
        {k: v for k, v in one.items() if k != "annotation_count"} for one in categories
    ]
    assert data["preferences"] == browser.get("/api/me/preferences").json()
    ahead = [link["href"] for link in page.all("link", rel="preload")]
    assert ahead == [f"/api/images/{image.id}/visit?{data['query']}"]
    assert data["query"] == "status=new&sort=file_name"
    answer = browser.get(f"/api/images/{image.id}/neighbours?{data['query']}")
    assert answer.json() == {"previous": None, "next": None, "position": 1, "total": 1}


def test_a_category_that_is_made_while_the_editor_opens_is_asked_for(
    session: Session, browser_of: BrowserOf, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest in the page is never that of categories which the page lacks."""
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    image = make_image(session, dataset=dataset)
    browser = browser_of(owner)

    def make_one(read_first: Callable[..., Any]) -> Callable[..., Any]:
        def read_and_make(*args: Any, **kwargs: Any) -> Any:
            found = read_first(*args, **kwargs)
            with Session(context.engine) as other:
                make_category(other, dataset=other.get_one(Dataset, dataset.id))
                other.commit()
            return found

        return read_and_make

    for module, name in ((live_state, "categories_digest"), (categories, "list_categories")):
        monkeypatch.setattr(module, name, make_one(getattr(module, name)))
    page = read(browser.get(f"/images/{image.id}").text)
    monkeypatch.undo()
    data = json.loads(page.one("script", type="application/json", id="maskwright-page").text)
    now = live_state.categories_digest(session, dataset_id=dataset.id)
    assert len(data["categories"]) == 1, "the one that was made after the digest was read"
    assert data["categories_digest"] != now


def test_the_grid_fetches_the_editor_ahead(session: Session, browser_of: BrowserOf) -> None:
    """Each script and style that the editor needs is there before an image is opened."""
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    image = make_image(session, dataset=dataset)
    browser = browser_of(owner)
    grid = read(browser.get(f"/datasets/{dataset.id}").text)
    editor = read(browser.get(f"/images/{image.id}").text)
    needed = [script["src"] for script in editor.all("script") if "src" in script.attributes]
    for rel in ("stylesheet", "modulepreload"):
        needed += [link["href"] for link in editor.all("link", rel=rel)]
    assert sorted(link["href"] for link in grid.all("link", rel="prefetch")) == sorted(needed)


def test_categories_carry_what_their_dialog_needs(session: Session, browser_of: BrowserOf) -> None:
    owner = make_user(session)
    dataset = make_dataset(session, owner=owner)
    person = make_category(
        session, dataset=dataset, name="person", keypoints=["a", "b"], skeleton=[[1, 2]]
    )
    image = make_image(session, dataset=dataset)
    make_annotation(session, image=image, category=person)
    browser = browser_of(owner)
    page = read(browser.get(f"/datasets/{dataset.id}/categories").text)
    [carried] = [b["data-category"] for b in page.all("button") if "data-category" in b.attributes]
    [wanted] = browser.get(f"/api/datasets/{dataset.id}/categories").json()["items"]
    assert json.loads(carried) == wanted
    # A category that annotations have cannot be deleted, and the page says so beforehand.
    delete = page.one("button", data_url=f"/api/categories/{person.id}")
    assert "disabled" in delete.attributes


def test_statistics_agree_with_the_rows(
    session: Session, browser_of: BrowserOf, client_for: Callable[[User], ApiClient]
) -> None:
    owner = make_user(session)
    owner.name = "Ada"
    dataset = make_dataset(session, owner=owner)
    cup = make_category(session, dataset=dataset, name="cup")
    make_category(session, dataset=dataset, name="bowl")
    done = make_image(session, dataset=dataset, status="done")
    new = make_image(session, dataset=dataset)
    for image, crowd in ((done, 0), (done, 1), (new, 0)):
        made = make_annotation(session, image=image, category=cup, iscrowd=crowd)
        made.created_by = made.updated_by = owner.id
    make_annotation(session, image=new)
    gone = make_annotation(session, image=new, category=cup)
    gone.deleted_at = gone.created_at
    session.commit()
    found = client_for(owner).get(f"/api/datasets/{dataset.id}/statistics").json()
    assert (found["images"], found["annotated_images"], found["images_without_file"]) == (2, 2, 2)
    assert (found["annotations"], found["crowds"], found["annotations_per_image"]) == (4, 1, 2.0)
    assert [(c["name"], c["annotations"], c["images"]) for c in found["by_category"]] == [
        ("cup", 3, 2),
        ("bowl", 0, 0),
        ("Without a category", 1, 1),
    ]
    assert {s["status"]: s["images"] for s in found["by_status"]} == {
        "new": 1,
        "in_progress": 0,
        "done": 1,
        "empty": 0,
    }
    assert [(p["name"], p["created"], p["updated"], p["images"]) for p in found["by_person"]] == [
        ("Ada", 3, 3, 2)
    ]
    text = read(browser_of(owner).get(f"/datasets/{dataset.id}/statistics").text).one("main").text
    assert "Without a category" in text


def test_an_empty_dataset_says_what_to_do(session: Session, browser_of: BrowserOf) -> None:
    dataset = make_dataset(session)
    for role, words in (("owner", "Drop images"), ("viewer", "has to upload images first")):
        member = make_member(session, dataset=dataset, role=role)
        assert words in browser_of(member).get(f"/datasets/{dataset.id}").text


@pytest.mark.parametrize(("role", "may_delete"), [("owner", True), ("annotator", False)])
def test_predictions_by_run(
    session: Session, browser_of: BrowserOf, role: str, may_delete: bool
) -> None:
    dataset = make_dataset(session)
    member = make_member(session, dataset=dataset, role=role)
    path = f"/datasets/{dataset.id}/predictions"
    assert "No predictions yet" in browser_of(member).get(path).text
    made = make_prediction(session, image=make_image(session, dataset=dataset))
    page = read(browser_of(member).get(path).text)
    row = page.all("tr")[1]
    assert row.text.split()[:6] == ["run", *row.text.split()[1:2], "1", "1", "0", "0"]
    urls = [one.attributes.get("href") for one in page.all("a") if "download" in one.attributes]
    url = f"/api/datasets/{dataset.id}/predictions/{made.set_id}"
    assert f"{url}/results.json" in urls
    deletes = [b for b in page.all("button") if b.attributes.get("data-url") == url]
    assert bool(deletes) is may_delete


def test_each_tab_has_a_title_of_its_own(session: Session, browser_of: BrowserOf) -> None:
    dataset = make_dataset(session, name="Kitchens")
    browser = browser_of(make_member(session, dataset=dataset, role="owner"))
    tabs = ("", "/categories", "/predictions", "/statistics", "/members", "/settings")
    pages = [read(browser.get(f"/datasets/{dataset.id}{tab}").text) for tab in tabs]
    titles = [page.one("title").text for page in pages]
    assert titles[:2] == ["Kitchens · Maskwright", "Categories · Kitchens · Maskwright"]
    assert len(set(titles)) == len(tabs)
