// A store that is another than the one that was opened: handed over in another tab, or removed by the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openDevice } from "../../server/handheld/app/device/device.js";
import { handOver } from "../../server/handheld/app/device/enrolment.js";
import { deleteDB } from "../../server/handheld/app/vendor/idb/index.js";
import { a_device, a_finding, RULES, SCOPE } from "./devices.js";

const HANDED = { name: "HandedOver" }, REMOVED = { name: "StoreRemoved" };

test("nothing that a person began is emptied away", async () => {
  const device = await a_device(), task = device.newId(), duty = { track: "t", since: "x", scope: SCOPE, last: null };
  const assigned = (status) => device.parts.store.write((t) => {
    t.set("user", { id: "u1" });
    t.put("row", { snapshot: 0, type: "task", id: task, version: 1, scope: SCOPE, fields: { assignee: "u1", status } });
  });
  await device.keep("duty", { ...duty, points: [{ id: "p1" }] });
  assert.equal(await handOver(device), false);
  await device.keep("duty", { ...duty, points: [] });
  await assigned("accepted");
  await device.keep(`task-${task}`, { note: "typed for ten minutes" });
  assert.equal(await handOver(device), false);
  await assigned("finished");
  await device.saveDraft("d1", "finding", { fields: {} });
  assert.equal(await handOver(device), false);
  await device.dropDraft("d1");
  await device.create("finding", a_finding(), SCOPE);
  assert.equal(await handOver(device), false);
  assert.deepEqual([(await device.outbox()).length, await device.kept(`task-${task}`)], [1, { note: "typed for ten minutes" }]);
  device.close();
});

test("another tab of the one before hears of it, and writes nothing into the store of the next", async () => {
  const database = "shared", lost = [], other = { database, reference: { record_types: RULES }, base: "http://127.0.0.1:9" };
  const one = await a_device({ database }), two = await openDevice({ ...other, lost: ({ name }) => lost.push(name) });
  await two.keep("pin", { salt: "of the one before" });
  assert.equal(await handOver(one), true);
  for (let round = 0; round < 50 && !lost.length; round += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([...new Set(lost)], ["HandedOver"]);
  const next = await a_device({ database });
  await assert.rejects(two.saveDraft("d1", "finding", {}), HANDED);
  await assert.rejects(two.create("finding", a_finding(), SCOPE), HANDED);
  await assert.rejects(two.keep("pin", { salt: "of the one before" }), HANDED);
  await assert.rejects(two.drafts(), HANDED);
  assert.deepEqual([await next.drafts(), await next.outbox({ all: true }), await next.kept("pin", null)], [[], [], null]);
  two.close();
  next.close();
});

test("what another tab makes at that moment is kept, or refused to its face", async () => {
  for (const first of [(one, two) => [handOver(one), two.create("finding", a_finding(), SCOPE)],
    (one, two) => [two.create("finding", a_finding(), SCOPE), handOver(one)].reverse()]) {
    const database = `raced-${first}`, one = await a_device({ database });
    const two = await openDevice({ database, reference: { record_types: RULES }, base: "http://127.0.0.1:9" });
    const [over, made] = await Promise.allSettled(first(one, two));
    const left = await openDevice({ database, reference: { record_types: RULES }, base: "http://127.0.0.1:9" });
    if (made.status === "fulfilled") assert.deepEqual([over.value, (await left.outbox()).length], [false, 1]);
    else assert.deepEqual([over.value, made.reason.name, left], [true, "HandedOver", null]);
    for (const each of [one, two, left]) each?.close();
  }
});

test("a database that the browser removed while it was open is not begun anew in silence", async () => {
  const lost = [], device = await a_device({ database: "removed", lost: ({ name }) => lost.push(name) });
  await device.create("finding", a_finding(), SCOPE);
  await deleteDB("removed");
  await assert.rejects(device.saveDraft("d1", "finding", {}), REMOVED);
  await assert.rejects(device.health(), REMOVED);
  assert.deepEqual([...new Set(lost)], ["StoreRemoved"]);
  device.close();
  assert.equal(await openDevice({ database: "removed", reference: { record_types: RULES }, base: "http://127.0.0.1:9" }), null);
});

test("the PIN goes in the writing that enrols anew, and not where that fails", async () => {
  const device = await a_device(), { client } = device.parts, answer = { device_id: "device-2", token: "y", user: { id: "u1" }, scopes: [SCOPE], hello: { epoch: "e" } };
  await device.keep("pin", { salt: "" });
  client.postBytes = async () => { throw new TypeError("no network"); };
  await assert.rejects(device.enrolAnew("ABCDE-ABCDE-ABCDE", { pin: null }));
  assert.deepEqual(await device.kept("pin", null), { salt: "" });
  client.postBytes = async () => answer;
  const { store } = device.parts, write = store.write.bind(store);
  let writings = 2; // what is asked with, and what was answered
  store.write = async (work) => {
    if (writings-- > 0) return write(work);
    throw new DOMException("killed", "QuotaExceededError");
  };
  await device.enrolAnew("ABCDE-ABCDE-ABCDE", { pin: null }).catch(() => {});
  assert.deepEqual([await store.get("device_id"), await device.kept("pin", null)], ["device-2", null]);
  device.close();
});
