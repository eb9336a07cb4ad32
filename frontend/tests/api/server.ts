/**
 * The other side of the transport: a server of a few lines that keeps versions
 * as the real one does, and a connection that can be cut.
 */

import type { Answer, Ask, Schemas, Transport } from "../../src/api/client";
import type { WireAnnotation } from "../../src/api/wire";
import { boxOfBounds } from "../../src/geometry/bounds";
import { ringsBounds } from "../../src/geometry/ring";
import { EMPTY_ANNOTATION } from "../../src/model/records";

interface Row {
  versions: Map<number, WireAnnotation>;
  version: number;
  deleted: boolean;
  clientKey: string | null;
}

interface Found {
  fields: Partial<WireAnnotation>;
  state: "open" | "accepted" | "rejected";
  annotation?: number;
}

type Change = Schemas["AnnotationChange"];

type Fault = "ok" | "cut-before" | "cut-after" | { status: number; body?: unknown };

export class Server {
  readonly log: string[] = [];
  readonly rows = new Map<number, Row>();
  /** What models found: what it becomes when it is accepted, and what is decided about it. */
  readonly predictions = new Map<number, Found>();
  /** What goes wrong with the next requests, one each. */
  faults: Fault[] = [];
  /** What the server computes from what it is given. */
  derive = (wire: WireAnnotation): WireAnnotation => wire;
  /** Hears of each version: what there was before and is now, null for nothing, and who made it so. */
  written: (before: WireAnnotation | null, after: WireAnnotation | null, wire: WireAnnotation) => void = () => undefined;
  /** Whoever asks is a stranger to the dataset, or the image was deleted. */
  isGone = false;
  inFlight = 0;
  mostInFlight = 0;

  add(fields: Partial<WireAnnotation>): WireAnnotation {
    const id = this.rows.size + 1;
    const wire = this.#wire(id, 1, fields);
    this.rows.set(id, { versions: new Map([[1, wire]]), version: 1, deleted: false, clientKey: wire.client_key });
    this.written(null, wire, wire);
    return wire;
  }

  now(id: number): WireAnnotation | null {
    const row = this.rows.get(id);
    return row && !row.deleted ? row.versions.get(row.version)! : null;
  }

  all(): WireAnnotation[] {
    return [...this.rows.keys()].flatMap((id) => this.now(id) ?? []);
  }

  /** Someone else's doing. */
  change(id: number, fields: Partial<WireAnnotation>): void {
    this.#next(id, { ...this.now(id)!, updated_by: 2, ...fields });
  }

  /** Resolves when no request is on its way, and none has followed from the last answer. */
  async rests(): Promise<void> {
    do await new Promise((resolve) => setTimeout(resolve));
    while (this.inFlight > 0);
  }

  readonly transport: Transport = (ask) => this.serve(ask, 1);

  /** The same for one person of several. */
  async serve(ask: Ask, by: number): Promise<Answer> {
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.inFlight--;
    const fault = this.faults.shift();
    if (fault === "cut-before") return lost();
    if (typeof fault === "object") return answer(fault.status, fault.body ?? null);
    const sent = ask.version === undefined ? "" : ` v${ask.version}`;
    this.log.push(`${ask.method} ${ask.path}${sent} ${JSON.stringify(shownOf(ask))}`);
    const reply = this.#reply(structuredClone(ask), by);
    return fault === "cut-after" ? lost() : structuredClone(reply);
  }

  #reply({ method, path, body, version }: Ask, by: number): Answer {
    const [, , kind, id, verb] = path.split("/");
    if (this.isGone) return answer(404, { code: "not_found", detail: "Not found." });
    if (method === "GET" && kind === "images") return answer(200, {});
    if (method === "GET") {
      const found = this.now(Number(id));
      return found ? answer(200, found) : answer(404, { detail: "It was deleted." });
    }
    const unknown = verb !== "restore" && Object.keys(body ?? {}).find((name) => !isNamed(kind === "predictions" ? verb! : kind!, name));
    if (unknown) return answer(422, { code: "invalid", detail: `${unknown} is not permitted.` });
    if (kind === "predictions") return this.decide(Number(id), verb!, body as Schemas["AcceptIn"], by);
    if (kind === "images") return this.#create(body as Schemas["NewAnnotation"], by);
    const row = this.rows.get(Number(id))!;
    if (row.deleted && verb !== "restore") return answer(404, { detail: "It was deleted." });
    if (version !== undefined && version !== row.version) {
      return answer(412, { detail: "Stale.", current: row.versions.get(row.version) });
    }
    if (method === "DELETE") {
      this.#next(Number(id), { ...row.versions.get(row.version)!, updated_by: by }, true);
      return answer(204, null);
    }
    const from = verb === "restore" ? (body as { version: number }).version : row.version;
    const fields = verb === "restore" ? {} : (body as Change);
    return answer(200, this.#next(Number(id), { ...changed(row.versions.get(from)!, fields), updated_by: by }));
  }

  /** Accepts, rejects or reopens, as whoever `by` is. */
  decide(id: number, verb: string, body: (Schemas["AcceptIn"] & Schemas["ReopenIn"]) | null = null, by = 1): Answer {
    const { expected_state = null, expected_annotation_id = null, client_key = null, ...change } = body ?? {};
    const found = this.predictions.get(id);
    if (!found) return answer(404, { code: "not_found", detail: "No such prediction." });
    const isTried = verb === "accept" && found.state === "accepted";
    if (expected_state && !isTried && ![expected_state, "open"].includes(found.state)) {
      return answer(409, { code: `prediction_${found.state}`, detail: "Decided." });
    }
    if (expected_annotation_id && found.annotation && found.annotation !== expected_annotation_id) {
      return answer(409, { code: "prediction_accepted", detail: "Accepted anew." });
    }
    const made = found.annotation === undefined ? null : this.rows.get(found.annotation)!;
    if (found.state === "accepted" && made) {
      if (verb === "accept" && made.deleted) return answer(409, { code: "annotation_deleted", detail: "Deleted." });
      if (verb === "accept") return answer(201, this.now(found.annotation!));
      if (verb === "reject") return answer(409, { code: "prediction_accepted", detail: "Accepted." });
      if (!made.deleted && made.version > 1) return answer(409, { code: "annotation_changed", detail: "Changed." });
      if (!made.deleted) this.#next(found.annotation!, { ...this.now(found.annotation!)!, updated_by: by }, true);
      made.clientKey = null;
    }
    delete found.annotation;
    found.state = verb === "accept" ? "accepted" : verb === "reject" ? "rejected" : "open";
    if (verb !== "accept") return answer(200, {});
    const wire = this.add({ ...changed(found.fields, change), client_key, created_by: by, updated_by: by });
    found.annotation = wire.id;
    return answer(201, wire);
  }

  #create({ client_key, copy_of, ...fields }: Schemas["NewAnnotation"], by: number): Answer {
    for (const [id, row] of this.rows) {
      if (row.clientKey !== client_key) continue;
      return row.deleted ? answer(409, { code: "annotation_deleted", detail: "Deleted." }) : answer(201, this.now(id));
    }
    const original = typeof copy_of === "number" ? this.rows.get(copy_of) : null;
    if (original === undefined) return answer(422, { code: "copy_of_unknown", detail: "Gone." });
    const { other_keys } = original?.versions.get(original.version) ?? { other_keys: [] };
    const own = { other_keys, client_key: client_key ?? null, created_by: by, updated_by: by };
    return answer(201, this.add({ ...(fields as Partial<WireAnnotation>), ...own }));
  }

  #next(id: number, content: WireAnnotation, deleted = false): WireAnnotation {
    const row = this.rows.get(id)!;
    const before = this.now(id);
    row.version++;
    row.deleted = deleted;
    const wire = this.derive({ ...content, version: row.version });
    row.versions.set(row.version, wire);
    this.written(before, this.now(id), wire);
    return wire;
  }

  #wire(id: number, version: number, fields: Partial<WireAnnotation>): WireAnnotation {
    const facts = {
      id,
      coco_id: id,
      version,
      task: "instances",
      area: 1,
      num_keypoints: null,
      other_keys: [],
      client_key: null,
      created_by: 1,
      updated_by: 1,
      created_at: "2026-01-01T00:00:00Z",
      updated_at: "2026-01-01T00:00:00Z",
      bbox: [0, 0, 0, 0],
    };
    return { ...EMPTY_ANNOTATION, image_id: 5, ...facts, ...fields };
  }
}

/** The members of the bodies that the real server takes; it refuses any other. */
const NAMES = {
  category_id: true,
  segmentation: true,
  holes: true,
  bbox: true,
  area: true,
  iscrowd: true,
  keypoints: true,
  num_keypoints: true,
  attributes: true,
  score: true,
  caption: true,
} satisfies Record<Shared, true>;
/** What they have beside these, by what the path ends with. */
const OF_CHANGE = { attributes_patch: true, attributes_null: true } satisfies Own<"AnnotationChange">;
const OWN: Readonly<Record<string, object>> = {
  annotations: OF_CHANGE,
  images: { task: true, client_key: true, copy_of: true } satisfies Own<"NewAnnotation">,
  accept: { ...OF_CHANGE, expected_state: true, client_key: true } satisfies Own<"AcceptIn">,
};

type Shared = keyof Schemas["AnnotationChange"] & keyof Schemas["NewAnnotation"];
type Own<Name extends keyof Schemas> = Record<Exclude<keyof Schemas[Name], Shared>, true>;

function isNamed(end: string, name: string): boolean {
  if (end === "reject") return false;
  return end === "reopen" ? name.startsWith("expected_") : name in NAMES || name in OWN[end]!;
}

/** What a request asks for, without what every decision about a prediction has. */
function shownOf({ path, body }: Ask): unknown {
  if (!path.startsWith("/api/predictions")) return body ?? null;
  const rest = Object.entries(body ?? {}).filter(([name]) => !["expected_state", "expected_annotation_id", "client_key"].includes(name));
  return rest.length > 0 ? Object.fromEntries(rest) : null;
}

/** With a change made, single attributes among it. */
function changed<T extends Partial<WireAnnotation>>(row: T, change: Change): T {
  const { attributes_patch, attributes_null, ...fields } = change;
  const merged = { ...(fields.attributes ?? row.attributes), ...attributes_patch };
  const kept = Object.entries(merged).filter(([name]) => attributes_patch?.[name] !== null);
  const nulls = (attributes_null ?? []).map((name) => [name, null]);
  const attributes = Object.fromEntries([...kept, ...nulls]) as WireAnnotation["attributes"];
  const named = attributes_patch || attributes_null ? { attributes } : {};
  return { ...row, ...(fields as Partial<WireAnnotation>), ...named, ...boxOf(fields as Partial<WireAnnotation>) };
}

/** The box follows a segmentation that changes, unless it is named. */
function boxOf({ segmentation, bbox }: Partial<WireAnnotation>): Partial<WireAnnotation> {
  const bounds = Array.isArray(segmentation) ? ringsBounds(segmentation) : null;
  return bounds && !bbox ? { bbox: [...boxOfBounds(bounds)] } : {};
}

const answer = (status: number, body: unknown): Answer => ({ status, body, retryAfterSeconds: null });
const lost = (): Answer => answer(0, null);
