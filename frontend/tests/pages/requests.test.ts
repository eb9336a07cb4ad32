import { describe, expect, it } from "vitest";

import { changed } from "../../src/pages/category";
import { problemFrom } from "../../src/pages/http";
import { ago } from "../../src/pages/time";

describe("a refused request", () => {
  it("says what the server said", () => {
    const body = { title: "Conflict", status: 409, detail: "There is one already.", code: "name_taken", errors: [] };
    const problem = problemFrom(409, JSON.stringify(body));
    expect(problem.message).toBe("There is one already.");
    expect(problem.body.code).toBe("name_taken");
  });

  it("says that nothing was changed, and what to do", () => {
    expect(problemFrom(0, "").message).toMatch(/cannot be reached.*try again/);
    expect(problemFrom(401, '{"detail": "x", "code": "unauthenticated"}').message).toMatch(/sign in again/);
    expect(problemFrom(401, '{"detail": "Not right.", "code": "wrong_credentials"}').message).toBe("Not right.");
    expect(problemFrom(403, '{"detail": "x", "code": "csrf_failed"}').message).toMatch(/reload it/);
    expect(problemFrom(503, '{"detail": "Busy.", "code": "unavailable"}').message).toBe("Busy. Nothing was changed.");
  });

  it("may come from a proxy that knows no JSON", () => {
    for (const text of ["<html>Bad gateway</html>", "", "null", "[]", "{}"]) {
      expect(problemFrom(502, text).message).toContain("502");
    }
  });
});

describe("a changed category", () => {
  it("names only what differs", () => {
    const before = { name: "a", keypoints: ["x", "y"], skeleton: [[1, 2]], color: "#000000" };
    expect(changed(before, { ...before, color: "#111111" })).toEqual({ color: "#111111" });
    expect(changed(before, { keypoints: ["x"], skeleton: [[1, 2]] })).toEqual({ keypoints: ["x"] });
    expect(changed(before, before)).toEqual({});
  });
});

describe("moments", () => {
  const now = new Date("2026-11-20T12:00:00Z");
  it("of the last week are told from now", () => {
    expect(ago(new Date("2026-11-20T11:59:30Z"), now)).toBe("30 seconds ago");
    expect(ago(new Date("2026-11-20T09:00:00Z"), now)).toBe("3 hours ago");
    expect(ago(new Date("2026-11-19T12:00:00Z"), now)).toBe("yesterday");
  });

  it("of long ago have a date", () => {
    expect(ago(new Date("2025-01-02T12:00:00Z"), now)).toContain("2025");
  });
});
