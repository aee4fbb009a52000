// What becomes of photos that do not simply arrive: lost again by the server, or dismissed with their evidence.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_finding, SCOPE } from "./devices.js";
import { a_photo, admin, enrolled, NEEDS_SERVER, on_server, person, report, until } from "./office.js";

const ELSEWHERE = "320411100", NEXT = "320412101";

test("a photo whose evidence was dismissed is waited for no longer, and its bytes stay", NEEDS_SERVER, async () => {
  const device = await enrolled(), about = { type: "finding", id: await report(device) };
  await device.capture(await a_photo(), { about, role: "scene", scope: ELSEWHERE });
  assert.equal((await device.sync()).quarantined, 1);
  assert.equal(await until(device, () => device.everythingDelivered()), true); // what is quarantined is told beside it
  const [{ sha256, state }] = await device.photos();
  assert.equal(state, "stored");
  const office = await person("supervisor", [SCOPE, ELSEWHERE]), { items } = await office.get("/quarantine");
  const { id } = items.find((item) => item.device_id === device.id);
  await office.post(`/quarantine/${id}/dismiss`, { reason: "不在本区" });
  assert.equal(await until(device, async () => (await device.photos())[0].state === "dismissed"), true);
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.ok(await device.bytes(sha256));
  device.close();
});

test("a receipt of before says nothing of a photo that the server wants again", NEEDS_SERVER, async () => {
  const device = await enrolled(), about = { type: "finding", id: await report(device) };
  await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  const { store, files } = device.parts, [{ sha256 }] = await device.photos();
  await store.write((t) => files.want(t, [sha256]));
  for (const state of ["waiting", "stored"]) {
    await files.note(sha256, { state });
    assert.equal(await device.everythingDelivered(), false);
  }
  await files.note(sha256, { state: "verified" });
  assert.equal(await device.everythingDelivered(), true);
  device.close();
});

test("a photo whose evidence is released is waited for again", NEEDS_SERVER, async () => {
  const device = await enrolled(), about = { type: "finding", id: await report(device) };
  await device.capture(await a_photo(), { about, role: "scene", scope: ELSEWHERE });
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  const [made] = (await device.outbox()).filter(({ state }) => state === "quarantined"), { store, outbox } = device.parts;
  await store.write((t) => outbox.settle(t, [{ id: made.id, outcome: "applied", version: 1 }]));
  assert.equal(await device.everythingDelivered(), false);
  device.close();
});

test("photos whose records left this device before their word came are verified by the receipt", NEEDS_SERVER, async () => {
  const owner = await person("inspector", [SCOPE, NEXT]), device = await enrolled({ owner });
  await device.sync();
  const moved = await report(device), left = await device.create("finding", a_finding(), NEXT);
  const evidence = [await device.capture(await a_photo(), { about: { type: "finding", id: moved }, role: "scene", scope: SCOPE }),
    await device.capture(await a_photo(), { about: { type: "finding", id: left }, role: "scene", scope: NEXT })];
  await device.parts.exchange.push(); // the records are there, the photos come later
  await move(moved, NEXT);
  await (await admin()).request("PATCH", `/users/${owner.user.id}`, { json: { scopes: [SCOPE] } });
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.deepEqual((await device.photos()).map(({ state }) => state), ["verified", "verified"]);
  assert.deepEqual(await Promise.all(evidence.map((id) => device.get("evidence", id))), [null, null]);
  device.close();
});

test("a photo without a record here that the server did not verify is waited for no longer", NEEDS_SERVER, async () => {
  const device = await enrolled({ owner: await person("inspector") });
  await device.sync();
  const moved = await report(device), cut = new Blob([(await (await a_photo()).arrayBuffer()).slice(0, 5000)]);
  const evidence = await device.capture(cut, { about: { type: "finding", id: moved }, role: "scene", scope: SCOPE });
  await device.parts.exchange.push();
  await move(moved, NEXT);
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.deepEqual([(await device.photos())[0].state, (await on_server("evidence", evidence)).fields.media.state], ["dismissed", "damaged"]);
  device.close();
});

async function move(finding, scope) {
  await (await admin()).post(`/records/finding/${finding}/commands`, { name: "move", args: { scope, reason: "街道划分" } });
}
