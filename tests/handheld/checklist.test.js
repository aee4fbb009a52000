// What a checklist asks, what an answer lacks, and what of it stands in the record.

import assert from "node:assert/strict";
import { test } from "node:test";

import { findingOf } from "../../server/handheld/app/forms/finding_of.js";
import { answered, asked, failed, lacks, namedIn, nextRole, recorded, standing, whole } from "../../server/handheld/app/forms/checklist.js";

const list = whole({ id: "city", version: 2, items: [
  { id: "a", points: 4 },
  { id: "b", points: 6, when: { item: "a", value: "fail" }, evidence: "photo_pair_on_fail" },
  { id: "c", points: 1, when: { item: "b", values: ["fail", "na"] } },
  { id: "d", answer: "photo" },
] });

test("a template of the office is worth what its items are", () => {
  assert.equal(list.full_points, 11);
  assert.equal(list.items[0].answer, "pass_fail");
});

test("a conditional item is asked only after the answer that it waits for, through any depth", () => {
  const of = (/** @type {any} */ answers) => asked(list, answers).map((item) => item.id);
  assert.deepEqual(of({}), ["a", "d"]);
  assert.deepEqual(of({ a: { value: "fail" } }), ["a", "b", "d"]);
  assert.deepEqual(of({ a: { value: "fail" }, b: { value: "na" } }), ["a", "b", "c", "d"]);
  assert.deepEqual(of({ a: { value: "pass" }, b: { value: "na" } }), ["a", "d"]);
});

test("each kind of evidence says what is still missing", () => {
  const item = (/** @type {string} */ evidence, answer = "pass_fail") => ({ id: "x", answer, evidence });
  const photo = (/** @type {string[]} */ ...roles) => roles.map((role) => ({ id: role, role }));
  assert.deepEqual(lacks(item("photo"), { value: "pass" }), ["photo"]);
  assert.deepEqual(lacks(item("photo"), { value: "na" }), []);
  assert.deepEqual(lacks(item("photo_on_fail"), { value: "pass" }), []);
  assert.deepEqual(lacks(item("photo_on_fail"), { value: "fail" }), ["photo"]);
  assert.deepEqual(lacks(item("photo_on_fail"), { value: "fail", photos: photo("scene") }), []);
  assert.deepEqual(lacks(item("photo_pair_on_fail"), { value: "fail" }), ["before", "after"]);
  assert.deepEqual(lacks(item("photo_pair_on_fail"), { value: "fail", photos: photo("before") }), ["after"]);
  assert.deepEqual(lacks(item("photo_pair_on_fail"), { value: "fail", photos: photo("before"), finding: "f" }), []);
  assert.deepEqual(lacks(item("document"), { value: "pass" }), ["document"]);
  assert.deepEqual(lacks(item("document"), { value: "fail" }), []);
  assert.deepEqual(lacks(item("document", "date"), { value: "2026-11-27" }), ["document"]);
  assert.deepEqual(lacks(item("serial_scan"), { value: "pass" }), ["serial"]);
  assert.deepEqual(lacks(item("serial_scan"), { value: "pass", serial: " " }), ["serial"]);
  assert.deepEqual(lacks(item("none", "photo"), undefined), ["photo"]);
  assert.deepEqual(lacks(item("photo_on_fail"), undefined), []);
  assert.equal(nextRole(item("photo_pair_on_fail"), { value: "fail", photos: photo("before") }), "after");
  assert.equal(nextRole(item("photo_on_fail"), { value: "fail" }), "scene");
});

test("what an answer names counts when it is made", () => {
  const answers = { a: { value: "fail", finding: "f" }, d: { photos: [{ id: "e1", role: "close" }, { id: "e2", role: "close" }] } };
  assert.deepEqual(namedIn(answers), ["f", "e1", "e2"]);
  assert.deepEqual(standing(answers, new Set(["e2"])), { a: { value: "fail" }, d: { photos: [{ id: "e2", role: "close" }] } });
  assert.deepEqual(standing(answers, new Set(["f", "e1", "e2"])), answers);
});

test("a finding says that its item failed, and what was noted", () => {
  const of = (/** @type {string | undefined} */ note) => findingOf({ id: "a", text: "无店外经营" }, { inspection: "i", note }).text;
  assert.deepEqual([of(undefined), of("占道两米")], ["不合格:无店外经营", "不合格:无店外经营;占道两米"]);
});

test("only what was asked and answered stands in the record", () => {
  const answers = { a: { value: "pass", note: "好", serial: " A 1 " }, b: { value: "fail" }, d: { photos: [{ id: "e1", role: "close" }] } };
  assert.deepEqual(recorded(list, answers), {
    a: { value: "pass", note: "好", serial: "A 1" }, d: { value: "e1", note: "", photos: ["e1"] },
  });
  assert.equal(answered({ id: "n", answer: "number" }, { value: 0 }), true);
  assert.equal(failed({ id: "n", answer: "number" }, { value: 0 }), false);
});
