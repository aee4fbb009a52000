// What the screens of findings know of the trade, against the server's own tables; what they send.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { wayWords } from "../../server/handheld/app/parts/outbox_words.js";
import { initials } from "../../server/handheld/app/parts/pinyin.js";
import { DELETABLE, OVER, STEPS, commandsOf, handled, mayChooseZone, onward, stepsFor } from "../../server/handheld/app/parts/states.js";
import { choiceOf, fieldsOf } from "../../server/handheld/app/screens/find/keep.js";

Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => null } }); // where the chosen language stands

/** @param {string} name a table of the server without commas inside its first columns */
function table(name) {
  const [head, ...rows] = readFileSync(new URL(`../../server/reference/${name}.csv`, import.meta.url), "utf8").trim().split("\n");
  const names = head.split(",");
  return rows.map((row) => Object.fromEntries(row.split(",").map((value, place) => [names[place], value])));
}

const HANDS = ["inspector", "auxiliary", "assignee"];
const NEEDS = ["after_photo_on_reply", "reason", "not_handler"];

test("the steps are those that the table gives to people with handhelds", () => {
  const theirs = table("states").filter(({ state, roles }) => state && roles.split(" ").some((role) => HANDS.includes(role)))
    .map(({ state, command, needs }) => `${command} ${state} ${needs.split(" ").filter((need) => NEEDS.includes(need)).sort()}`);
  const ours = STEPS.flatMap(({ command, from, needs }) => from.map((state) => `${command} ${state} ${[...needs].sort()}`));
  assert.deepEqual(ours.sort(), theirs.sort());
});

test("a finding may be deleted in the states of the table, and is over where no zone is chosen any more", () => {
  assert.deepEqual(table("deletions").find(({ type }) => type === "finding").states.split(" ").sort(), [...DELETABLE].sort());
  const open = new Set(table("states").filter(({ command }) => command === "choose_zone").map(({ state }) => state));
  const all = new Set(table("states").map(({ state }) => state).filter(Boolean));
  assert.deepEqual(OVER.filter((state) => open.has(state)), []);
  assert.deepEqual([...all].filter((state) => !open.has(state)).sort(), [...OVER].sort());
});

test("who handled a case is not offered its check, and a case of nobody's unit is nobody's", () => {
  const me = { id: "6f2d8c1e-0000", username: "u", name: "u", roles: ["inspector"], scopes: ["32"] };
  assert.deepEqual(stepsFor({ status: "dispatched", unit: me.id }, me).map(({ command }) => command), ["handle", "hand_back"]);
  assert.deepEqual(stepsFor({ status: "dispatched", unit: "11111111-aaaa" }, me), []);
  assert.deepEqual(stepsFor({ status: "dispatched" }, me), []);
  const ours = (/** @type {string} */ unit) => stepsFor({ status: "dispatched", unit }, { ...me, unit: "环卫所" }).length > 0;
  assert.deepEqual(["环卫所", "市政所", "32"].map(ours), [true, false, true]);
  assert.deepEqual(stepsFor({ status: "checking" }, { ...me, roles: ["auxiliary"] }), []);
  assert.ok(handled({ handling: { handled_by: [me.id] } }, me) && handled({ self_handled: true, inspector_id: me.id }, me));
  assert.ok(!handled({ handling: { handled_by: ["x"] } }, me));
  assert.ok(mayChooseZone({ status: undefined }, me, true) && !mayChooseZone({ status: "closed" }, me, true));
});

test("a case that was taken up here is replied to before the server has it, and nothing goes on after the reply", () => {
  assert.deepEqual(["dispatched", "rework", "handling"].map((status) => onward(status, ["handle"])), ["handling", "handling", undefined]);
  assert.deepEqual([onward("dispatched", []), onward("dispatched", ["handle", "handle"]), onward("dispatched", ["hand_back"])],
    ["dispatched", undefined, undefined]);
});

test("a choice is told only where the server would not come to it by itself", () => {
  const first = { zone_id: "a" }, probable = { decision: "probable", candidates: [first] };
  const choice = (zone, attribution) => choiceOf({ zone }, { attribution });
  assert.equal(choice(undefined, probable), null);
  assert.deepEqual(choice("a", probable), { zone_id: "a" });
  assert.equal(choice("a", { decision: "certain", candidates: [first] }), null);
  assert.deepEqual(choice("b", { decision: "certain", candidates: [first] }), { zone_id: "b" });
  assert.deepEqual(choice(null, { decision: "ambiguous", candidates: [first] }), { zone_id: null });
  assert.equal(choice(null, { decision: "none", candidates: [] }), null);
  assert.deepEqual(choice("c", null), { zone_id: "c" });
});

test("a command that the server has counts until the row shows it, and a refused one never", () => {
  const made = (/** @type {string} */ state, version = null) => ({ state, version, record_id: "a", body: { op: "command", command: { name: "finish", args: {} } } });
  const counted = (/** @type {any} */ one) => commandsOf({ id: "a", version: 3 }, [one]).length;
  assert.deepEqual(["waiting", "held", "quarantined", "done"].map((state) => counted(made(state))), [1, 1, 0, 0]);
  assert.deepEqual([counted(made("applied", 4)), counted(made("applied", 3))], [1, 0]);
  assert.equal(counted({ ...made("waiting"), record_id: "b" }), 0);
});

test("what is empty is not sent", () => {
  const position = { lon: 1, lat: 2, crs: "EPSG:4326" };
  assert.deepEqual(fieldsOf({ observed_at: "t", fields: { text: "  ", address: " 甲 ", tags: [], severity: undefined } }, position),
    { observed_at: "t", address: "甲", position });
});

test("words are found by their first letters", () => {
  assert.equal(initials("店外经营"), "dwjy");
  assert.equal(initials("暴露垃圾"), "bllj");
  assert.equal(initials("A类 水井盖"), "al sjg");
});

test("how far a photo has come is told in words, by this device where it was taken", () => {
  const told = (/** @type {string | null} */ here, /** @type {string | null} */ there, /** @type {any[]} */ problems = []) => wayWords(
    /** @type {any} */ ({ version: 0, problems, fields: { sha256: "d", ...(there ? { media: { state: there } } : {}) } }), new Map(here ? [["d", here]] : []));
  assert.deepEqual([told("waiting", "expected"), told("stored", "partial"), told("verified", "stored")], ["待传", "已传,待核验", "已核验"]);
  assert.deepEqual([told(null, "expected"), told(null, "partial"), told(null, null)], ["还没传到", "传到一部分", "在别的设备上"]);
  assert.equal(told("stored", null, [{ code: "record_missing" }]), "未采纳");
});
