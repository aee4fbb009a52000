// Photos from the shutter to the receipt: the chain, the bytes, what is removed and when.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, SCOPE } from "./devices.js";
import { a_photo, admin, enrolled, NEEDS_SERVER, network, on_server, report, until } from "./office.js";

const HERE = { lon: 119.95, lat: 31.7, crs: "EPSG:4326", accuracy_m: 8.0 };

test("without a network a photo is kept byte for byte, signed into the chain and waiting", async () => {
  const device = await a_device();
  const about = { type: "finding", id: device.newId() };
  const bytes = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
  const id = await device.capture(new Blob([bytes]), { about, role: "scene", scope: SCOPE, position: HERE, note: "门口" });
  await device.capture(new Blob([bytes, bytes]), { about, role: "close", scope: SCOPE });
  const { fields } = await device.get("evidence", id);
  assert.deepEqual([fields.bytes, fields.media_type, fields.note, fields.capture.seq], [7, "image/jpeg", "门口", 1]);
  assert.equal(fields.capture.prev, "0".repeat(64));
  assert.deepEqual(new Uint8Array(await (await device.bytes(fields.sha256)).arrayBuffer()), bytes);
  assert.deepEqual((await device.photos("waiting")).map((photo) => [photo.bytes, photo.kept]).sort(), [[14, true], [7, true]]);
  assert.equal((await device.health()).unsent_photos, 2);
  const seqs = (await device.records("evidence")).map((each) => each.fields.capture.seq);
  assert.deepEqual(seqs.sort(), [1, 2]);
  device.close();
});

test("a full disk keeps neither half of a photo", async () => {
  const device = await a_device();
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === "bytes") throw new DOMException("full", "QuotaExceededError");
    return put.apply(this, given);
  };
  const taken = device.capture(new Blob(["x"]), { about: { type: "finding", id: device.newId() }, role: "scene", scope: SCOPE });
  try {
    await assert.rejects(taken, { name: "QuotaExceededError" });
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  assert.deepEqual([await device.outbox(), await device.photos(), await device.records("evidence")], [[], [], []]);
  device.close();
});

test("a photo is taken once, though no small picture can be made of it", async () => {
  const device = await a_device();
  globalThis.createImageBitmap = async () => ({ width: 4, height: 3, close() {} });
  globalThis.OffscreenCanvas = class {
    getContext() { return null; }
    async convertToBlob() { throw new DOMException("no memory", "EncodingError"); }
  };
  const warn = console.warn, said = [];
  console.warn = (failure) => said.push(failure.name);
  try {
    const id = await device.capture(new Blob(["x"]), { about: { type: "finding", id: device.newId() }, role: "scene", scope: SCOPE });
    assert.deepEqual([(await device.records("evidence")).map((each) => each.id), said], [[id], ["EncodingError"]]);
  } finally {
    console.warn = warn;
    delete globalThis.createImageBitmap;
    delete globalThis.OffscreenCanvas;
  }
  device.close();
});

test("photos go with their chain, and only the receipt says that everything is delivered", NEEDS_SERVER, async () => {
  const device = await enrolled({ keepMs: 0 });
  const finding = await report(device);
  const taken = [];
  for (const role of ["before", "after"]) {
    const about = { type: "finding", id: finding };
    taken.push(await device.capture(await a_photo(), { about, role, scope: SCOPE, position: HERE }));
  }
  assert.equal(await device.everythingDelivered(), false);
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.match(await device.receipt(), /^menqian delivery receipt 1\n/);
  for (const [at, id] of taken.entries()) {
    const { fields } = await on_server("evidence", id);
    assert.deepEqual([fields.media.state, fields.capture.seq], ["verified", at + 1]);
    assert.deepEqual((fields.flags ?? []).filter(({ code }) => /signature|chain|unsigned/.test(code)), []);
  }
  await device.sync(); // verified and, here, kept no longer than that: the bytes may go, the row stays
  assert.deepEqual((await device.photos()).map(({ state, kept }) => [state, kept]), [["verified", false], ["verified", false]]);
  await report(device);
  assert.equal(await device.everythingDelivered(), false);
  device.close();
});

test("paused, or on a line that is not for photos, records go and photos wait", NEEDS_SERVER, async () => {
  const device = await enrolled();
  const finding = await report(device);
  await device.capture(await a_photo(), { about: { type: "finding", id: finding }, role: "scene", scope: SCOPE });
  await device.configure({ paused: true });
  assert.equal(device.syncing.paused, true);
  const report_ = await device.sync();
  assert.deepEqual([report_.delivered, report_.uploaded, report_.photos_waiting], [2, 0, 1]);
  await device.configure({ paused: false }); // of itself
  for (let round = 0; round < 100 && (await device.health()).unsent_photos; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await device.health()).unsent_photos, 0);
  device.close();
});

test("a wish for Wi-Fi holds the next photo of an upload that has begun", NEEDS_SERVER, async () => {
  let wish = async () => undefined;
  const device = await enrolled({ fetch: async (address, options) => {
    if (options.method === "PATCH") await wish();
    return fetch(address, options);
  } });
  const about = { type: "finding", id: await report(device) };
  for (const role of ["scene", "close"]) await device.capture(await a_photo(), { about, role, scope: SCOPE });
  wish = () => device.configure({ wifi_only: true });
  Object.defineProperty(navigator, "connection", { value: { type: "cellular" }, configurable: true });
  try {
    const { uploaded, photos_waiting } = await device.sync();
    assert.deepEqual([uploaded, photos_waiting], [1, 1]);
    device.close();
  } finally {
    delete navigator.connection;
  }
});

test("where room is short, verified bytes go after two days; what waits never does", async () => {
  const day = 86_400_000, device = await a_device(), about = { type: "finding", id: device.newId() };
  const { store, files } = device.parts, took = Date.parse("2026-11-01T00:00:00Z");
  for (const name of ["waits", "fresh", "old"]) await device.capture(new Blob([name]), { about, role: "scene", scope: SCOPE });
  const photos = Object.fromEntries(await Promise.all((await device.photos())
    .map(async ({ sha256 }) => [await (await device.bytes(sha256)).text(), sha256])));
  await store.write(async (t) => {
    for (const [name, days] of [["fresh", 9], ["old", 5]]) {
      const row = await t.get("file", photos[name]);
      t.put("file", { ...row, state: "verified", verified_at: new Date(took + days * day).toISOString() });
    }
  });
  const now = new Date(took + 10 * day).toISOString();
  await store.write((t) => files.removeVerified(t, now));
  assert.ok((await device.photos()).every((photo) => photo.kept));
  files.short = true;
  await store.write((t) => files.removeVerified(t, now));
  const kept = Object.fromEntries((await device.photos()).map((photo) => [photo.sha256, photo.kept]));
  assert.deepEqual([kept[photos.waits], kept[photos.fresh], kept[photos.old]], [true, true, false]);
  assert.equal(await device.bytes(photos.old), null);
  device.close();
});

test("a photo that the server refuses does not end receipts, one that never arrived is missed", NEEDS_SERVER, async () => {
  const device = await enrolled(), about = { type: "finding", id: await report(device) };
  await device.capture(new Blob(["<html>no picture</html>"]), { about, role: "scene", scope: SCOPE });
  await device.capture(await a_photo(), { about, role: "close", scope: SCOPE });
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.deepEqual((await device.photos()).map((photo) => photo.state).sort(), ["refused", "verified"]);
  await device.capture(await a_photo(), { about, role: "after", scope: SCOPE });
  const [{ sha256 }] = await device.photos("waiting");
  await device.parts.store.write((t) => t.put("bytes", new Blob(["rotten"]), sha256));
  const before = await device.receipt();
  assert.equal(await until(device, async () => await device.receipt() !== before), true);
  assert.deepEqual([(await device.photos("damaged")).length, await device.everythingDelivered()], [1, false]);
  device.close();
});

test("a photo that this phone cannot read stands in no other's way, nor in that of news", NEEDS_SERVER, async () => {
  const [device, office] = [await enrolled(), await enrolled()];
  const finding = await report(device), about = { type: "finding", id: finding };
  await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  const [{ sha256: gone }] = await device.photos();
  const { size } = await device.bytes(gone);
  let other = await a_photo();
  while (other.size === size) other = await a_photo();
  await device.capture(other, { about, role: "close", scope: SCOPE });
  const read = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = function () {
    if (this.size === size) throw new DOMException("The file could not be read", "NotReadableError");
    return read.call(this);
  };
  try {
    const news = await report(office);
    await office.sync();
    const done = await device.sync();
    assert.deepEqual([done.uploaded, done.photos_waiting, (await device.get("finding", news)).unsent], [1, 1, 0]);
    const [lost] = await device.photos("waiting");
    assert.deepEqual([lost.sha256, lost.problem], [gone, "unreadable"]);
    assert.match(await (await device.bundle()).text(), new RegExp(`"lacking":\\["${gone}"\\]`));
  } finally {
    Blob.prototype.arrayBuffer = read;
  }
  assert.equal((await device.sync()).uploaded, 1); // it was the storage, not the photo
  device.close();
  office.close();
});

test("news come although no photo goes through", NEEDS_SERVER, async () => {
  const way = network((address) => (String(address).includes("/uploads") ? "lose_request" : null));
  const [device, office] = [await enrolled({ fetch: way.fetch }), await enrolled()];
  const about = { type: "finding", id: await report(device) };
  await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  const news = await report(office);
  await office.sync();
  await assert.rejects(device.sync(), { name: "Unreachable" });
  assert.ok(await device.get("finding", news));
  way.draw = () => null;
  assert.equal((await device.sync()).uploaded, 1);
  device.close();
  office.close();
});

/** How many photos wait, as the office has heard. */
async function told(device) {
  const { items } = await (await admin()).get("/devices");
  return items.find(({ id }) => id === device.id).reported.unsent_photos;
}

/** Somebody on the way who answers uploads in the server's place. */
function between(status, body = "<html>Request Entity Too Large</html>") {
  const way = { on: true };
  way.fetch = async (address, options) => (way.on && /\/uploads/.test(address) ? new Response(body, { status }) : fetch(address, options));
  return way;
}

test("what a proxy says of a photo passes, and the photo goes once it is mended", NEEDS_SERVER, async () => {
  const way = between(413), device = await enrolled({ fetch: way.fetch });
  await device.capture(await a_photo(), { about: { type: "finding", id: await report(device) }, role: "scene", scope: SCOPE });
  await assert.rejects(device.sync(), { code: "http_413" });
  assert.deepEqual((await device.photos()).map(({ state, problem }) => [state, problem]), [["waiting", "http_413"]]);
  assert.equal((await device.health()).unsent_photos, 1);
  way.on = false;
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.equal((await device.photos())[0].problem, null);
  device.close();
});

test("a photo that stopped here is told to the office, lies in the bundle and may be sent again", NEEDS_SERVER, async () => {
  const way = between(413, '{"code": "too_large", "action": "none"}');
  const device = await enrolled({ fetch: way.fetch });
  await device.capture(await a_photo(), { about: { type: "finding", id: await report(device) }, role: "scene", scope: SCOPE });
  await device.sync();
  const [{ sha256, state }] = await device.photos();
  assert.deepEqual([state, (await device.health()).unsent_photos, await told(device)], ["refused", 0, 1]);
  assert.match(await (await device.bundle()).text(), new RegExp(`"photos":\\[\\{"sha256":"${sha256}"`));
  way.on = false; // the limit was raised
  await device.sendAgain(sha256);
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.equal(await told(device), 0);
  device.close();
});

test("a photo that the server itself refused waits nowhere: the office knows of it", NEEDS_SERVER, async () => {
  const device = await enrolled();
  await device.capture(new Blob(["<html>no picture</html>"]), { about: { type: "finding", id: await report(device) }, role: "scene", scope: SCOPE });
  assert.equal(await until(device, () => device.everythingDelivered()), true);
  assert.equal(await told(device), 0);
  device.close();
});

test("a photo that fails each time holds no other, and only three in a row end an upload", NEEDS_SERVER, async () => {
  const failing = new Set(), device = await enrolled({ fetch: async (address, options) => (
    failing.has(String(address).split("/media/")[1]) ? new Response("", { status: 502 }) : fetch(address, options)) });
  const about = { type: "finding", id: await report(device) };
  for (let count = 0; count < 5; count += 1) await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  const smallest = (await device.photos()).sort((one, other) => one.bytes - other.bytes).map(({ sha256 }) => sha256);
  for (const sha256 of smallest.slice(0, 3)) failing.add(sha256);
  await assert.rejects(device.sync(), { code: "http_502" });
  assert.equal((await device.photos("waiting")).length, 5);
  await assert.rejects(device.sync(), { code: "http_502" }); // those that failed go last
  assert.deepEqual((await device.photos("waiting")).map(({ sha256, problem }) => [sha256, problem]).sort(),
    smallest.slice(0, 3).map((sha256) => [sha256, "http_502"]).sort());
  failing.clear();
  assert.equal((await device.sync()).uploaded, 3);
  device.close();
});

test("without a network no photo is tried after the first", NEEDS_SERVER, async () => {
  const way = network(), asked = new Set(), device = await enrolled({ fetch: (address, options) => {
    if (/\/media\//.test(address)) {
      asked.add(String(address));
      way.offline = true;
    }
    return way.fetch(address, options);
  } });
  const about = { type: "finding", id: await report(device) };
  for (let count = 0; count < 3; count += 1) await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  await assert.rejects(device.sync(), { name: "Unreachable" });
  assert.equal(asked.size, 1);
  assert.ok((await device.photos()).every(({ problem }) => problem === null));
  device.close();
});
