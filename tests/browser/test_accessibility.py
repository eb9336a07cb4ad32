"""What axe-core finds on the pages and in the editor: nothing, in either theme and on a phone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor_page import EditorPage
from tests.serving import Server

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
# What WCAG 2.2 asks on the levels A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 390, "height": 844}


def violations(page: Page) -> list[str]:
    """Each rule that is broken, with the elements that break it."""
    page.evaluate(AXE.read_text())
    # It takes the layers of the stage, which reach beyond what is seen of them, for covers of the
    # text beside the stage, and then says nothing about its contrast.
    page.evaluate("document.querySelectorAll('canvas').forEach((e) => (e.style.display = 'none'))")
    found: list[dict[str, Any]] = page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules})).violations", RULES
    )
    return [
        f"{rule['id']}: {node['target'][0]}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


# Elements that would move, of those that are there.
MOVING = """[...document.querySelectorAll('*')].filter((element) => {
  const { transitionDuration, animationName } = getComputedStyle(element);
  return animationName !== 'none' || transitionDuration.split(', ').some((time) => time !== '0s');
}).map((element) => element.outerHTML.slice(0, 120))"""

# Controls that are seen, enabled and reached neither by Tab nor, within a list, a menu, a tree or a
# radio group, by its arrow keys.
UNREACHED = """(() => {
  const native = 'button, a[href], input, select, textarea, summary';
  const controls = `${native}, [role=option], [role=menuitem]`;
  const composite = '[role=listbox], [role=menu], [role=radiogroup], [role=toolbar]';
  const tabbable = (element) => element.tabIndex >= 0 && !element.disabled;
  return [...document.querySelectorAll(controls)].filter((element) => {
    if (!element.checkVisibility({visibilityProperty: true}) || element.disabled) return false;
    if (tabbable(element) || element.ariaHidden === 'true') return false;
    const group = element.closest(composite);
    if (!group) return true;
    const combobox = document.querySelector(`[role=combobox][aria-controls="${group.id}"]`);
    return ![combobox ?? group, ...group.querySelectorAll('*')].some(tabbable);
  }).map((element) => element.outerHTML.slice(0, 120));
})()"""


# What has the focus outside of the dialog that is open; the browser's own bar does not count.
OUTSIDE = """(() => {
  const {activeElement: active, body} = document;
  return active === body || active.closest('dialog:modal') ? '' : active.outerHTML.slice(0, 120);
})()"""

# Controls of which nobody sees that they have the focus; a key must have been pressed last.
UNMARKED = """(() => {
  const controls = 'button, a[href], input, select, textarea, summary, [tabindex="0"]';
  const modal = document.querySelector('dialog:modal') ?? document;
  const had = document.activeElement;
  // A card shows it around its picture and text, a choice around its words.
  const shows = (element) => [element, element.parentElement, element.closest('.card')];
  const look = (element) => shows(element).map((shown) => {
    if (!shown) return '';
    const {outlineStyle, outlineWidth, outlineColor, boxShadow} = getComputedStyle(shown);
    const isNone = outlineStyle === 'none' || outlineWidth === '0px';
    return `${isNone ? '' : outlineStyle + outlineWidth + outlineColor} ${boxShadow}`;
  }).join();
  const all = [...modal.querySelectorAll(controls)].filter((element) => {
    if (element.tabIndex < 0 || element.disabled) return false;
    if (element.closest('.visually-hidden')) return false;
    return element.checkVisibility({visibilityProperty: true});
  });
  had?.blur?.();
  const without = new Map(all.map((element) => [element, look(element)]));
  const unmarked = all.filter((element) => {
    element.focus({preventScroll: true});
    return document.activeElement === element && look(element) === without.get(element);
  }).map((element) => element.outerHTML.slice(0, 120));
  had?.focus?.({preventScroll: true});
  return unmarked;
})()"""

# A shadow that is there with the focus and without it is no mark.
ALWAYS_SHADED = """(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    'button { box-shadow: 0 0 2px black } :focus-visible { outline: none !important }');
  document.adoptedStyleSheets.push(sheet);
})()"""


@pytest.fixture(scope="module")
def dataset(server: Server) -> int:
    made: int = server.client.post("/api/datasets", json={"name": "axe"}).json()["id"]
    boxes = [[20, 20, 100, 80], [21, 21, 100, 80], [620, 20, 50, 90]]
    server.import_coco(
        made,
        {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": [
                {"id": n + 1, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": [],
                 "area": 1.0, "iscrowd": 0, "attributes": {"worn": True}}
                for n, box in enumerate(boxes)
            ],
        },
    )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        ("light", None),
        ("dark", {"width": 1280, "height": 720}),
        ("dark", PHONE),
        # A laptop at 200 %: half as many CSS pixels.
        ("light", {"width": 720, "height": 450}),
    ],
    ids=["light", "dark", "phone", "200 %"],
)
def test_the_editor_is_accessible(
    new_page: Callable[..., Page],
    server: Server,
    dataset: int,
    scheme: str,
    viewport: dict[str, int] | None,
) -> None:
    image = server.client.get(f"/api/datasets/{dataset}/images").json()["items"][0]["id"]
    options = {"viewport": viewport} if viewport else {}
    page = new_page(color_scheme=scheme, reduced_motion="reduce", **options)
    editor = EditorPage(page).open(image)
    editor.press("/", "Escape", "Control+a")
    assert page.evaluate(UNREACHED) == []
    assert page.evaluate(MOVING) == []
    if viewport and viewport["width"] < 1000:
        assert violations(page) == []
        # The way to what the low sheet has no room for.
        parts = page.get_by_role("navigation", name="Parts of the panel")
        for name in ("Properties", "Categories"):
            parts.get_by_role("button", name=name).click()
            heading = page.get_by_role("region", name=name).get_by_role("heading").first
            expect(heading).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name="Close the panel").click()
        page.get_by_role("button", name="View settings").click()
        assert violations(page) == []
        page.get_by_role("button", name="View settings").click()
        for key, name in (("m", "Brush"), ("w", "Magic wand"), ("u", "Superpixels")):
            editor.press(key)
            strip = page.get_by_role("toolbar", name=f"{name} options")
            assert strip.evaluate("strip => strip.scrollWidth <= strip.clientWidth")
            # Two lines at most.
            assert strip.evaluate("strip => strip.clientHeight") < 96
        return
    page.get_by_role("region", name="Problems").get_by_role("button", expanded=False).click()
    page.keyboard.press("Tab")
    assert page.evaluate(UNMARKED) == []
    page.get_by_role("button", name="How objects are drawn").click()
    assert violations(page) == []
    editor.press("Escape")
    for key, title in (("?", "Keys and gestures"), ("Control+k", "Commands")):
        editor.press(key)
        page.get_by_role("dialog", name=title).wait_for()
        assert violations(page) == [], title
        assert page.evaluate(UNREACHED) == [], title
        assert page.evaluate(UNMARKED) == [], title
        assert page.evaluate(MOVING) == [], title
        # Tab goes round within: nothing of the page below has the focus.
        for _ in range(3):
            editor.press("Shift+Tab")
            assert page.evaluate(OUTSIDE) == "", title
        editor.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate(ALWAYS_SHADED)
    page.keyboard.press("Tab")
    assert any("<button" in found for found in page.evaluate(UNMARKED))
    # What is too weak is found, also in the smallest print.
    page.locator(".hints").evaluate("e => e.style.setProperty('--muted', 'rgb(128 128 128)')")
    assert any("color-contrast: .hint" in found for found in violations(page))
    if scheme == "light":
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(MOVING) != [], "or the test would find nothing"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(new_page: Callable[..., Page], dataset: int, scheme: str) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    of_dataset = ("", "/categories", "/predictions", "/statistics", "/members", "/settings")
    paths = [f"/datasets/{dataset}{tab}" for tab in of_dataset]
    for path in ("/", *paths, "/jobs", "/account", "/admin/users"):
        page.goto(path)
        assert violations(page) == [], path
        assert page.evaluate(UNREACHED) == [], path
        page.keyboard.press("Tab")
        assert page.evaluate(UNMARKED) == [], path
        assert page.evaluate(MOVING) == [], path
