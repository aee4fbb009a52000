// What a person on this device sees: the server's row with what was done here since, by the merge rules. Pure.
//
// Serves `device`. The view is derived at each reading and stored nowhere, so a pull rebases undelivered edits by itself.

/** @import { Fields, Made, Row, Shown } from "./types.js" */
/** The merge rule of each declared field of each type, as `reference.json` has them. @typedef {Record<string, Record<string, string>>} Rules */

/**
 * The record as it is shown, null when it is not there or was deleted here; `made` in the order of making.
 * @param {Rules} rules
 * @param {string} type
 * @param {string} id
 * @param {Row | null | undefined} row
 * @param {Made[]} made
 * @returns {Shown | null}
 */
export function shown(rules, type, id, row, made) {
  const edits = made.filter((each) => counts(each, row)).map((each) => each.body);
  const created = edits.some((body) => body.op === "put" && body.scope);
  if ((!row && !created) || edits.some((body) => body.op === "delete")) return null;
  let fields = row ? row.fields : {}, scope = row ? row.scope : "";
  for (const body of edits) {
    if (body.op !== "put") continue;
    fields = edited(rules, type, fields, body);
    scope = body.scope || scope;
  }
  return {
    type, id, version: row ? row.version : 0, scope, fields, updated_at: row ? row.updated_at : null,
    unsent: made.filter((each) => each.state === "waiting").length,
    problems: made.filter((each) => each.state === "quarantined").map(problemOf).filter((problem) => problem !== null),
  };
}

/**
 * The fields after an edit, by the rules of protocol section 5 as far as one side alone can know them.
 * @param {Rules} rules
 * @param {string} type
 * @param {Fields} fields
 * @param {Fields} body
 * @returns {Fields}
 */
export function edited(rules, type, fields, body) {
  const after = { ...fields };
  /** @param {string} name */
  const rule = (name) => rules[type]?.[name] ?? "latest";
  for (const [name, value] of Object.entries(body.set ?? {})) put(after, name, set(rule(name), after[name], value));
  const added = body.add ?? {}, removed = body.remove ?? {};
  for (const name of Object.keys({ ...added, ...removed })) {
    after[name] = rule(name) === "append" ? union(after[name], added[name])
      : members(after[name], added[name] ?? [], removed[name] ?? []);
  }
  return after;
}

/** Why a mutation was not applied. @param {Made} made @returns {Fields | null} */
export function problemOf(made) {
  return (made.settled ?? made.outcome)?.problem ?? null;
}

/** Is this not yet in the row? What was quarantined stands only where the server has no record at all.
 * @param {Made} each @param {{version: number} | null | undefined} row */
export function counts(each, row) {
  if (each.state === "applied") return !row || (each.version ?? 0) > row.version;
  return each.state === "waiting" || each.state === "held" || !row;
}

/** @param {string} rule @param {any} before @param {any} value */
function set(rule, before, value) {
  if (rule === "server" || rule === "guarded" || (rule === "once" && (before ?? null) !== null)) return before;
  if (rule === "map" && value !== null && typeof value === "object" && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries({ ...before, ...value }).filter(([, part]) => part !== null));
  }
  return rule === "append" ? union(before, value) : value;
}

/** A set after an edit; what is both added and removed stays. @param {any[] | undefined} before @param {any[]} added @param {any[]} removed */
function members(before, added, removed) {
  const kept = (before ?? []).filter((member) => !removed.includes(member) || added.includes(member));
  return [...kept, ...added.filter((member) => !kept.includes(member))];
}

/** Points by id; the first of an id stands. @param {any[] | undefined} before @param {any[] | undefined} added */
function union(before, added) {
  const points = new Map();
  for (const point of [...(before ?? []), ...(added ?? [])]) if (!points.has(point.id)) points.set(point.id, point);
  return [...points.values()];
}

/** @param {Fields} fields @param {string} name @param {any} value */
function put(fields, name, value) {
  if (value === null || value === undefined) delete fields[name];
  else fields[name] = value;
}
