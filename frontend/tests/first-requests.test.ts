import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Site } from "./site";

const PAGE = { image: { id: 2, has_file: false, width: 200, height: 100 }, dataset: { id: 1 }, query: "", tiled_from_pixels: 30_000_000 };

let site: Site;
beforeEach(() => {
  vi.resetModules();
  site = new Site();
});
afterEach(() => vi.unstubAllGlobals());

/** Loads the script as the page does, with this data in the page. */
async function load(data: object | null): Promise<{ readonly firstFetch: typeof fetch }> {
  const block = data && { textContent: JSON.stringify(data) };
  Object.assign(globalThis.document, { getElementById: () => block });
  return import("../src/first-requests");
}

test("the workspace finds its first requests answered, and asks for nothing twice", async () => {
  await load(PAGE);
  const first = [...site.asked];
  expect(first).toContain("GET /api/images/2/visit");
  const { Workspace: Opened } = await import("../src/workspace");
  const options = { user: { id: 1, email: "me@example.org", name: "Me", since: "" }, role: "annotator", categories: "" } as const;
  const dataset = { id: 1, name: "cups" };
  const image = { ...PAGE.image, dataset_id: 1, file_name: "2.jpg", status: "new", revision: 0, updated_at: "" } as const;
  const workspace = await Opened.open({ ...options, image, dataset, query: "", tiled_from_pixels: 30_000_000 });
  expect(workspace.session.editor.document.size).toBe(1);
  expect(site.asked.filter((each) => first.includes(each)).toSorted()).toEqual(first.toSorted());
});

test("the picture is asked for, too, or how it comes in tiles", async () => {
  const asked = async (image: object): Promise<string[]> => {
    vi.resetModules();
    site.asked.length = 0;
    await load({ ...PAGE, image, query: "sort=file_name" });
    expect(site.asked).toContain("GET /api/images/2/visit?sort=file_name");
    return site.asked.filter((each) => /picture|tiles/.test(each));
  };
  expect(await asked({ ...PAGE.image, has_file: true })).toEqual(["GET /api/images/2/picture"]);
  expect(await asked({ ...PAGE.image, has_file: true, width: 20_000, height: 20_000 })).toEqual(["GET /api/images/2/tiles"]);
  expect(await asked(PAGE.image)).toEqual([]);
});

test("each answer is given once, and only to the same question", async () => {
  const { firstFetch } = await load(PAGE);
  const sent = site.asked.length;
  await firstFetch("/api/me/preferences", { method: "PATCH" });
  expect(site.asked.length, "another question").toBe(sent + 1);
  await firstFetch("/api/me/preferences", {});
  expect(site.asked.length, "was answered before").toBe(sent + 1);
  await firstFetch("/api/me/preferences", {});
  expect(site.asked.length).toBe(sent + 2);
});
