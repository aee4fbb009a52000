// The device without a network: what a person makes is kept, seen, grouped and numbered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, a_finding, SCOPE } from "./devices.js";

test("what was made is seen at once and waits", async () => {
  const device = await a_device();
  const id = await device.create("finding", a_finding({ tags: ["早"] }), SCOPE);
  await device.edit("finding", id, { set: { text: "改" }, add: { tags: ["夜间"] } });
  const seen = await device.get("finding", id);
  assert.deepEqual([seen.fields.text, seen.fields.tags, seen.version, seen.unsent], ["改", ["早", "夜间"], 0, 2]);
  assert.deepEqual((await device.outbox()).map((each) => [each.n, each.state]), [[1, "waiting"], [2, "waiting"]]);
  assert.equal((await device.records("finding")).length, 1);
  assert.equal((await device.health()).unsent, 2);
  device.close();
});

test("a group is all or nothing", async () => {
  const device = await a_device();
  await device.group((maker) => {
    const id = maker.create("finding", a_finding(), SCOPE);
    maker.edit("finding", id, { set: { text: "同组" } }, 0);
  });
  const made = await device.outbox();
  assert.equal(made.length, 2);
  assert.ok(made[0].group && made[0].group === made[1].group && made[1].body.group === made[0].group);
  const big = "长".repeat(3_000_000);
  await assert.rejects(device.group((maker) => {
    maker.create("finding", a_finding(), SCOPE);
    maker.create("finding", a_finding({ text: big }), SCOPE);
  }), RangeError);
  assert.equal((await device.outbox()).length, 2);
  device.close();
});

test("a command and a deletion name the version that was looked at", async () => {
  const device = await a_device(), id = device.newId();
  await device.parts.store.write((t) => t.put("row", { snapshot: 0, type: "finding", id, version: 4, scope: SCOPE, fields: a_finding(),
    updated_at: null }));
  await device.command("finding", id, "close", {}, null, 3);
  await device.command("finding", id, "close");
  await device.remove("finding", id, "重复", 3);
  assert.deepEqual((await device.outbox()).map((each) => each.body.base), [3, 4, 3]);
  device.close();
});

test("what is made together but apart is one writing here and each by itself for the server", async () => {
  const device = await a_device(), big = "长".repeat(3_000_000);
  await device.group((maker) => {
    const id = maker.create("finding", a_finding(), SCOPE);
    maker.command("finding", id, "choose_zone", { zone_id: null }, null, 0);
  }, { apart: true });
  assert.deepEqual((await device.outbox()).map(({ group, body }) => [group, body.group]), [[null, undefined], [null, undefined]]);
  await assert.rejects(device.group((maker) => {
    maker.create("finding", a_finding(), SCOPE);
    maker.create("finding", a_finding({ text: big }), SCOPE);
  }, { apart: true }), RangeError);
  assert.equal((await device.outbox()).length, 2);
  device.close();
});

test("what is not here cannot be changed", async () => {
  const device = await a_device();
  await assert.rejects(device.edit("finding", device.newId(), { set: { text: "?" } }), { name: "NotHere" });
  assert.equal((await device.outbox()).length, 0);
  device.close();
});

test("drafts and small things are kept over a restart", async () => {
  const device = await a_device({ database: "restart" });
  await device.saveDraft("one", "finding", { text: "半" });
  await device.keep("favourites", ["0504"]);
  device.close();
  const again = await a_device({ database: "restart", enrolled: true });
  assert.deepEqual((await again.drafts()).map((draft) => [draft.id, draft.value.text]), [["one", "半"]]);
  assert.deepEqual(await again.kept("favourites", []), ["0504"]);
  assert.equal(await again.kept("never", 7), 7);
  await again.dropDraft("one");
  assert.deepEqual(await again.drafts(), []);
  again.close();
});

test("another tab hears of a change", async () => {
  const [one, two] = [await a_device({ database: "tabs" }), await a_device({ database: "tabs", enrolled: true })];
  const heard = new Promise((resolve) => { two.onChange(() => resolve(true)); });
  await one.create("finding", a_finding(), SCOPE);
  assert.equal(await heard, true);
  assert.equal((await two.records("finding")).length, 1);
  one.close();
  two.close();
});

test("a full disk leaves nothing half written and says so", async () => {
  const device = await a_device();
  const put = IDBObjectStore.prototype.put;
  let left = 1;
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === "mutation" && left-- <= 0) throw new DOMException("full", "QuotaExceededError");
    return put.apply(this, given);
  };
  try {
    await assert.rejects(device.group((maker) => {
      maker.create("finding", a_finding(), SCOPE);
      maker.create("finding", a_finding(), SCOPE);
    }), { name: "QuotaExceededError" });
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  assert.equal((await device.outbox()).length, 0);
  device.close();
});

test("what is looked up again is what changed; the list is as if all were", async () => {
  const device = await a_device();
  const ids = [];
  for (let number = 0; number < 5; number += 1) ids.push(await device.create("finding", a_finding({ text: `${number}` }), SCOPE));
  const before = await device.records("finding");
  assert.equal(await device.records("finding"), before);
  await device.keep("favourites", ["0504"]);
  assert.equal(await device.records("finding"), before);
  await device.edit("finding", ids[2], { set: { text: "改" } });
  await device.remove("finding", ids[3], "误报");
  const added = await device.create("finding", a_finding({ text: "新" }), SCOPE);
  const after = await device.records("finding");
  const expected = [[ids[0], "0"], [ids[1], "1"], [ids[2], "改"], [ids[4], "4"], [added, "新"]].sort(); // those of one millisecond stand anyhow
  assert.deepEqual(after.map((one) => [one.id, one.fields.text]), expected);
  device.seeing.forget(["*"]);
  assert.deepEqual(await device.records("finding"), after);
  device.close();
});

test("a tab sees what another is doing, until that one ends or dies", async () => {
  const [one, two, third] = [await a_device({ database: "doing" }), await a_device({ database: "doing", enrolled: true }),
    await a_device({ database: "doing", enrolled: true })];
  const soon = () => new Promise((resolve) => setTimeout(resolve, 30));
  const until = async (so) => {
    for (let round = 0; round < 100 && !so(); round += 1) await soon();
    assert.ok(so(), String(so));
  };
  let end;
  const talk = one.parts.tabs.turn(async () => {
    one.talking.now = { doing: "upload", photo: { sha256: "a", sent: 1, bytes: 2 } };
    one.parts.tabs.changed(false);
    await new Promise((resolve) => { end = resolve; });
  });
  await until(() => two.syncing.doing === "upload" && two.syncing.photo.sent === 1);
  await third.keep("favourites", []); // a tab that does nothing says nothing of the one that does
  await soon();
  assert.equal(two.syncing.doing, "upload");
  end(); // without a word, as a tab that is killed
  await talk;
  await until(() => two.syncing.doing === null);
  for (const each of [one, two, third]) each.close();
});

test("what a tab did just before it closed is heard by the others", async () => {
  const [one, two] = [await a_device({ database: "last" }), await a_device({ database: "last", enrolled: true })];
  const heard = new Promise((resolve) => { two.onChange(resolve); });
  assert.deepEqual(await two.records("finding"), []);
  await one.create("finding", a_finding(), SCOPE);
  one.close();
  assert.equal(await heard, true);
  assert.equal((await two.records("finding")).length, 1);
  two.close();
});

test("a form that is kept in two tabs at once makes its record once, and is over", async () => {
  const one = await a_device({ database: "two-tabs" }), other = await a_device({ database: "two-tabs", enrolled: true }), id = one.newId();
  await one.saveDraft(id, "finding", { text: "门前堆物" });
  const keep = (/** @type {typeof one} */ tab) => tab.group((maker) => {
    maker.create("finding", a_finding(), SCOPE, { id });
    maker.command("finding", id, "choose_zone", { zone_id: null }, null, 0);
  }, { apart: true, once: id });
  await Promise.all([keep(one), keep(other)]);
  assert.deepEqual((await one.outbox()).map(({ body }) => body.op), ["put", "command"]);
  assert.deepEqual(await other.drafts(), []);
  one.close();
  other.close();
});

test("a photo is evidence under the id that its form names", async () => {
  const device = await a_device(), id = device.newId(), about = { type: "letter", id: device.newId() };
  assert.equal(await device.capture(new Blob(["photo"]), { id, about, role: "scene", scope: SCOPE }), id);
  const kept = await device.get("evidence", id);
  assert.deepEqual([kept.fields.about, "id" in kept.fields], [about, false]);
  device.close();
});

test("an edit that is too large for one mutation goes in several, all-or-nothing; what cannot be taken apart is refused", async () => {
  const device = await a_device(), id = await device.create("inspection", { started_at: "2026-11-27T00:00:00.000Z" }, SCOPE);
  const answers = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`i${at}`, { value: "fail", note: "占".repeat(2000) }]));
  await device.edit("inspection", id, { base: 0, set: { answers, ended_at: "2026-11-27T01:00:00.000Z" } });
  const [, ...parts] = await device.outbox();
  assert.ok(parts.length > 1 && parts.every(({ body }) => new TextEncoder().encode(JSON.stringify(body)).length < 65_536));
  assert.equal(new Set(parts.map(({ group }) => group)).size, 1);
  assert.ok(parts.every(({ group, body }) => group && body.group === group && body.base === 0));
  assert.deepEqual((await device.get("inspection", id)).fields.answers, answers);
  await device.edit("inspection", id, { base: 0, set: { answers: { i0: null } } });
  assert.equal((await device.outbox()).at(-1).group, null);
  const before = (await device.outbox()).length, note = "占".repeat(30_000);
  for (const set of [{ answers: { i1: { note } } }, { note }]) await assert.rejects(device.edit("inspection", id, { base: 0, set }), { name: "TooLarge" });
  assert.equal((await device.outbox()).length, before);
  device.close();
});
