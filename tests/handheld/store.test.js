// What the store and the outbox survive: a connection that the browser cuts, an answer to another's numbers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, a_finding, SCOPE } from "./devices.js";

test("a connection that the browser closes, or fails to open once, is opened anew", async () => {
  const device = await a_device(), { store } = device.parts;
  (await store.database()).close();
  await device.keep("favourites", ["0504"]);
  const open = indexedDB.open, newer = open.call(indexedDB, "newer", 2);
  await new Promise((resolve) => { newer.onsuccess = resolve; });
  indexedDB.open = () => open.call(indexedDB, "newer", 1);
  await store.close();
  try {
    await assert.rejects(device.kept("favourites"), { name: "VersionError" });
  } finally {
    indexedDB.open = open;
  }
  assert.deepEqual(await device.kept("favourites"), ["0504"]);
  device.close();
});

test("an answer about other mutations of the same numbers settles nothing", async () => {
  const device = await a_device(), { store, outbox } = device.parts;
  await device.create("finding", a_finding(), SCOPE);
  await device.create("finding", a_finding(), SCOPE);
  const [first] = await device.outbox(), applied = { outcome: "applied", version: 1, conflicts: [], problem: null };
  const told = [{ ...applied, n: 1, id: first.id }, { ...applied, n: 2, id: device.newId() }];
  await assert.rejects(store.write((t) => outbox.receive(t, told)), { name: "Unreachable" });
  assert.deepEqual((await device.outbox()).map((each) => each.state), ["waiting", "waiting"]);
  await store.write((t) => outbox.receive(t, told.slice(0, 1)));
  assert.deepEqual((await device.outbox()).map((each) => each.state), ["applied", "waiting"]);
  device.close();
});
