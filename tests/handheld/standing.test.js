// What the bar and the pulse make of photos: which the server looks at, which a person must take again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, SCOPE } from "./devices.js";

globalThis.addEventListener ??= () => undefined;
const { lookedAt } = await import("../../server/handheld/app/parts/pulse.js");
const { lostPhotos, missingPhotos } = await import("../../server/handheld/app/parts/frame.js");

let serial = 0;

/** Take a photo; gives its digest. */
async function a_photo(device, about, role = "scene") {
  serial += 1;
  const id = await device.capture(new Blob([`${serial}`]), { about, role, scope: SCOPE });
  return (await device.get("evidence", id)).fields.sha256;
}

/** Let the server answer all that waits. */
async function answer(device, outcome) {
  const { store, outbox } = device.parts, made = (await device.outbox()).filter(({ state }) => state === "waiting");
  await store.write(async (t) => {
    await outbox.receive(t, made.map(({ n, id }) => ({ n, id, outcome, version: 1, conflicts: [], problem: null })));
    await outbox.closeApplied(t);
  });
}

test("a photo whose record is held back is not looked at, however long it lies there", async () => {
  const device = await a_device(), about = { type: "finding", id: device.newId() };
  await device.parts.files.note(await a_photo(device, about), { state: "stored" });
  await answer(device, "held");
  assert.equal(await lookedAt(device), 0);
  await device.parts.files.note(await a_photo(device, about), { state: "stored" });
  await answer(device, "applied");
  assert.equal(await lookedAt(device), 1);
  device.close();
});

test("a photo that was not accepted is missing until it was taken again", async () => {
  let now = Date.now();
  const device = await a_device({ clock: () => now }), about = { type: "finding", id: device.newId() };
  const first = await a_photo(device, about);
  now += 1000;
  const second = await a_photo(device, about); // of another part of the same heap: it replaces nothing
  now += 1000;
  await device.parts.files.note(first, { state: "refused", problem: "media_type_refused" });
  assert.equal(await missingPhotos(device), 1);
  now += 1000;
  await a_photo(device, about, "after");
  assert.equal(await missingPhotos(device), 1);
  const again = await a_photo(device, about);
  assert.deepEqual([await missingPhotos(device), await lostPhotos(device)], [0, 1]);
  await device.parts.files.note(again, { state: "damaged" });
  assert.equal(await missingPhotos(device), 2);
  await device.parts.files.note(second, { state: "verified" });
  assert.equal(await missingPhotos(device), 2);
  device.close();
});
