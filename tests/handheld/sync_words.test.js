// How things stand with the server, as the line above the navigation says it.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.localStorage = { getItem: () => null };
const { syncWords } = await import("../../server/handheld/app/parts/sync_words.js");
const { since, when } = await import("../../server/handheld/app/parts/time.js");
const { problemWords } = await import("../../server/handheld/app/parts/failures.js");
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
