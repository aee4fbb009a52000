// What the forms decide by themselves: steps by role, offences by place, documents, arrival, values in words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { apart } from "../../server/handheld/app/device/plane.js";
import { article, beijing, localBeijing, missing, offencesFor, orderText, softSteps } from "../../server/handheld/app/forms/order.js";
import { titleOf } from "../../server/handheld/app/parts/outbox_words.js";
import { factsOf, valueWords } from "../../server/handheld/app/forms/values.js";
import { arrival, middle, pointOf, zonesNear } from "../../server/handheld/app/forms/places.js";

const t = (/** @type {string} */ chinese) => chinese;
/** @type {string | null} */
let language = null;
Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => language } }); // where the chosen language stands
const steps = [
  { kind: "persuade", officers: "0", dated: "0", document: "0", text_cn: "经劝导，{party}承诺改正：{facts}。" },
  { kind: "order_dated", officers: "2", dated: "1", document: "1", text_cn: "{party}：{facts}。违反{article}，于{due}前改正。{officers} {at}" },
];
const form = { party_name: "望江茶馆", facts: "店外摆放货架。", officers: ["me", "周晓"], due: "2026-11-28T18:00", how: "signed",
  signature: "e1", reason: "", witness: "" };
const me = { id: "me", name: "张敏" };

test("an auxiliary alone only persuades", () => {
  assert.deepEqual(softSteps(steps, ["auxiliary"]).map((one) => one.kind), ["persuade"]);
  assert.equal(softSteps(steps, ["auxiliary", "inspector"]).length, 2);
});

test("offences are those of the place, the finding's class first", () => {
  const offences = [{ code: "A", name: "店外经营", scope: "4104", class_code: "0504" }, { code: "B", name: "吊挂", scope: "4104", class_code: "0507" },
    { code: "C", name: "office's own" }];
  assert.deepEqual(offencesFor(offences, "410402001", "", "0507").map((one) => one.code), ["B", "A", "C"]);
  assert.deepEqual(offencesFor(offences, "320412100", "").map((one) => one.code), ["C"]);
  assert.deepEqual(offencesFor(offences, "410402001", "店外").map((one) => one.code), ["A"]);
});

test("a document cites the rule and tells day and hour in Beijing", () => {
  const offence = { source: "平顶山市城市市容和环境卫生管理条例 (2019)", breached_article: "11 para 1" };
  assert.equal(article(offence), "《平顶山市城市市容和环境卫生管理条例》第11条第1款");
  assert.equal(article({ source: "某条例", breached_article: "10(2)" }), "《某条例》第10条第（2）项");
  assert.equal(orderText(steps[1], form, offence, me, "2026-11-27T06:05:00.000Z"),
    "望江茶馆：店外摆放货架。违反《平顶山市城市市容和环境卫生管理条例》第11条第1款，于2026年11月28日18时00分前改正。执法人员：张敏、周晓 2026年11月27日14时05分");
});

test("a deadline is meant in Beijing wherever the phone is set to", () => {
  assert.equal(beijing("2026-11-28T18:00"), "2026-11-28T10:00:00.000Z");
  assert.equal(localBeijing(new Date("2026-11-28T10:00:00.000Z")), "2026-11-28T18:00");
  assert.equal(beijing(""), null);
});

test("what is missing is told before anything is sealed", () => {
  const now = Date.parse("2026-11-27T06:00:00.000Z");
  assert.deepEqual(missing(steps[1], form, t, now), []);
  assert.deepEqual(missing(steps[1], { ...form, officers: ["me"] }, t, now), ["须 2 名执法人员"]);
  assert.deepEqual(missing(steps[1], { ...form, due: "2026-11-27T13:00" }, t, now), ["请选择将来的改正期限(日期和时刻)"]);
  assert.deepEqual(missing(steps[1], { ...form, due: "2026-11-27T13:00", served_at: "2026-11-27T04:00:00.000Z" }, t, now), []);
  assert.deepEqual(missing(steps[1], { ...form, signature: "" }, t, now), ["还没有签名"]);
  assert.deepEqual(missing(steps[1], { ...form, how: "refused" }, t, now), ["拒签须写明情况和见证人"]);
  assert.deepEqual(missing(steps[0], { ...form, how: "told", signature: "", officers: ["me"] }, t, now), []);
});

test("arrival counts the fix's own accuracy in, and no more of it than the figures allow", () => {
  const figures = { embargo_m: 100, embargo_accuracy_m: 50 };
  const place = { lon: 119.95, lat: 31.7, crs: "EPSG:4326" };
  const at = (/** @type {number} */ east, /** @type {number} */ accuracy_m) => ({ lon: 119.95 + east / (111320 * Math.cos(31.7 * Math.PI / 180)), lat: 31.7, crs: "EPSG:4326", accuracy_m });
  assert.deepEqual(arrival(at(90, 5), place, figures), { distance_m: 90, there: true });
  assert.equal(arrival(at(140, 50), place, figures)?.there, true);
  assert.equal(arrival(at(160, 400), place, figures)?.there, false);
  assert.equal(arrival(null, place, figures), null);
  assert.equal(arrival(at(1, 5), { lon: 1, lat: 2, crs: "BD-09" }, figures), null);
  assert.deepEqual(pointOf({ lon: 1, lat: 2, crs: "BD-09", normalized: { lon: 3, lat: 4 } }), { lon: 3, lat: 4 });
});

test("zones come nearest first, by any of their words", () => {
  const zone = (/** @type {string} */ id, /** @type {number} */ lon) => ({ id, type: "zone", version: 1, scope: "3204", updated_at: null, unsent: 0, problems: [],
    fields: { name: id, road: "测试路", party: { name: `${id}店` }, outline: { type: "Polygon", coordinates: [[[lon, 31], [lon + 0.0001, 31], [lon + 0.0001, 31.0001], [lon, 31]]] } } });
  const zones = [zone("far", 119.01), zone("near", 119)];
  assert.deepEqual(zonesNear(zones, { lon: 119, lat: 31 }, "").map((one) => one.zone.id), ["near", "far"]);
  assert.deepEqual(zonesNear(zones, null, "测试 far店").map((one) => one.zone.id), ["far"]);
  assert.equal(middle(null), null);
  assert.ok(Math.abs(apart({ lon: 119, lat: 31 }, { lon: 119, lat: 31.001 }) - 111.2) < 0.1);
});

test("the reference names every step and task kind with what its form needs", () => {
  const table = (/** @type {string} */ name) => readFileSync(new URL(`../../server/reference/${name}.csv`, import.meta.url), "utf8");
  for (const gap of ["{party}", "{facts}", "{due}", "{officers}"]) assert.ok(table("enforcement_kinds").includes(gap), gap);
  for (const verdict of ["confirmed=", "disputed=", "not_found="]) assert.ok(table("task_kinds").includes(verdict), verdict);
});

test("a conflict over a step is told in words, and of the people the one who reads it", () => {
  const me = { id: "0191f2a0-0000-7000-8000-00000000abcd", name: "张敏" };
  assert.equal(valueWords("command", { command: "finish", args: { verdict: "disputed", note: "未见堆物", photos: ["x"] } }), "完成 · 不一致 · 未见堆物");
  assert.equal(valueWords("command", { status: "handed_back" }), "状态 已退回");
  assert.equal(valueWords("command", { status: "checking" }), "状态 待核查");
  assert.equal(valueWords("officers", [me.id, "0191f2a0-0000-7000-8000-000000001234", "周晓"], me), "张敏、编号…1234、周晓");
});

test("fields are told by their names in one order, a class by its own", () => {
  const classes = [{ scheme: "S", code: "0203", name: "暴露垃圾", zh: "暴露垃圾" }];
  const told = "类别 暴露垃圾 0203 · 程度 重 · 描述 纸箱";
  assert.equal(factsOf({ text: "纸箱", severity: "重", class_code: "0203", class_scheme: "S" }, me, classes).map((fact) => fact.join(" ")).join(" · "), told);
  assert.equal(valueWords("classification", { class_code: "0203", class_scheme: "S", severity: "重", text: "纸箱" }, me, classes), told);
  assert.equal(valueWords("classification", { class_scheme: "S", class_code: "0299", severity: null }, me, classes), "类别 0299");
});

test("a deletion against an edit is told with what was edited", () => {
  assert.equal(valueWords("deleted", { text: "已清空", tags: ["夜间"] }, me), "描述 已清空 · 标签 夜间");
  assert.equal(valueWords("deleted", { text: "已清空", classification: { severity: "轻", class_code: "0203" } }, me), "类别 0203 · 程度 轻 · 描述 已清空");
  assert.deepEqual([true, false].map((deleted) => valueWords("deleted", deleted)), ["删除", "保留"]);
});

test("a title that the server writes in both languages is shown in the chosen one, a person's as it is", () => {
  const titles = [["retake", "补拍取证 2 张 Retake 2 photo(s)"], ["spot_check", "抽查复核 第 3 处 Re-visit 3"], ["verify", "核实 KFC"], ["retake", "重拍门头"]]
    .map(([kind, title]) => ({ kind, title }));
  assert.deepEqual(titles.map(titleOf), ["补拍取证 2 张", "抽查复核 第 3 处", "核实 KFC", "重拍门头"]);
  language = "en";
  assert.deepEqual(titles.map(titleOf), ["Retake 2 photo(s)", "Re-visit 3", "核实 KFC", "重拍门头"]);
  language = null;
});
