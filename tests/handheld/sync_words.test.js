// How things stand with the server, as the line above the navigation says it.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.localStorage = { getItem: () => null };
const { syncWords } = await import("../../server/handheld/app/parts/sync_words.js");
const { since, when } = await import("../../server/handheld/app/parts/time.js");
const { failureWords, outcomeWords, problemWords } = await import("../../server/handheld/app/parts/failures.js");
const { photoWords } = await import("../../server/handheld/app/parts/outbox_words.js");

const HEALTH = { unsent: 0, oldest_unsent_at: null, unsent_bytes: 0, unsent_photos: 0, device_time: "2026-11-22T01:00:00.000Z" };
const SYNCING = { doing: null, photo: null, failure: null, last_ok_at: "2026-11-22T01:00:00.000Z", paused: false, wifi_only: false };

function standing(now) {
  return syncWords({ health: HEALTH, syncing: SYNCING, delivered: false, state: "enrolled", any: true, held: false, checked: 0, lost: 0, stopped: 0, ...now });
}

test("photos that were not accepted are told, delivered as the rest may be", () => {
  assert.equal(standing({ delivered: true }).kind, "ok");
  for (const delivered of [false, true]) {
    const { kind, title } = standing({ lost: 2, delivered });
    assert.equal(kind, "bad");
    assert.match(title, /^2 /);
  }
  assert.equal(standing({ lost: 2, state: "revoked" }).title, standing({ state: "revoked" }).title);
});

test("a device that was revoked says what is still on it alone", () => {
  const health = { ...HEALTH, unsent: 2, unsent_photos: 1 };
  assert.equal(standing({ state: "revoked", health }).detail, "2 条记录、1 张照片待送 · 做过的都还在,请联系主管");
  assert.equal(standing({ state: "forked", health }).detail, "2 条记录、1 张照片待送 · 已做的不会丢,点此处理");
  assert.equal(standing({ state: "revoked" }).detail, "做过的都还在,请联系主管");
});

test("what the server did not apply is told, delivered as the rest may be", () => {
  const { kind, title, detail } = standing({ stopped: 1, delivered: true });
  assert.deepEqual([kind, title, detail], ["warn", "1 条未采纳,由主管处理", "其余全部送达"]);
  assert.doesNotMatch(standing({ stopped: 1, health: { ...HEALTH, unsent: 2 } }).detail, /全部送达/);
  assert.match(standing({ stopped: 1, lost: 1, delivered: true }).detail, /1 条未采纳/);
});

test("a pause is told when nothing waits, too: nothing comes in by itself", () => {
  const syncing = { ...SYNCING, paused: true };
  for (const now of [{ delivered: true }, { any: false }, { stopped: 1, delivered: true }, { health: { ...HEALTH, unsent: 2 } }]) {
    assert.match(standing({ ...now, syncing }).detail, /已暂停/);
    assert.doesNotMatch(standing(now).detail, /已暂停/);
  }
});

test("what was is told by its time where the clock was put back behind it", () => {
  const at = "2026-11-22T01:00:00.000Z", then = Date.parse(at);
  assert.equal(since(at, then + 7_200_000), "2 小时前");
  assert.equal(since(at, then - 7_200_000), when(at));
  assert.equal(since(at, then - 5_000), "刚刚");
});

test("an answer without a reason is told by its status, and never by a code", () => {
  for (const said of [problemWords({ kind: "http_413" }), photoWords({ state: "waiting", offset: 0, problem: "http_413" }).why]) {
    assert.match(said, /HTTP 413/);
    assert.doesNotMatch(said, /http_/);
  }
});

/** In English, and back. */
function in_english(work) {
  globalThis.localStorage.getItem = () => "en";
  try {
    return work();
  } finally {
    globalThis.localStorage.getItem = () => null;
  }
}

test("what the server says is told in one language, and what it will do about it only where that is true", () => {
  const late = { title: "状态已变化 State has moved", action: "resnapshot", code: "state_moved",
    detail: "冲突已变化,请重新查看 the conflict is about another value by now, look again" };
  assert.equal(outcomeWords(late), "状态已变化(冲突已变化,请重新查看)");
  assert.equal(in_english(() => outcomeWords(late)), "State has moved (the conflict is about another value by now, look again)");
  assert.match(problemWords(late), /本机会重新取一遍数据/);
  assert.equal(outcomeWords({ ...late, detail: "finish is not possible from finished" }), "状态已变化");
  assert.equal(outcomeWords({ code: "strange", detail: "照片 3" }), "照片 3");
  assert.equal(problemWords({ kind: "busy", action: "none", title: "服务器繁忙 Server busy", detail: "" }), "服务器繁忙");
});

test("what a browser says in its own English is told as such, behind words of ours", () => {
  assert.match(failureWords(new TypeError("x is null")), /^这一步没有做成.*技术信息:TypeError: x is null/);
  assert.match(in_english(() => failureWords(new TypeError("x is null"))), /^This was not done.*TypeError: x is null/);
});
