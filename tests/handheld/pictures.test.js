// Copies of photos that others took: they come for whoever has to look again, stay without a network, and never show what
// is to be judged unseen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaTypeOf } from "../../server/handheld/app/device/files.js";
import { a_device, SCOPE } from "./devices.js";
import { a_photo, enrolled, NEEDS_SERVER, network, person, reopened, report, until } from "./office.js";

/** A finding of a colleague with photos of these roles, verified; and somebody who gives tasks. */
async function reported(roles = ["scene"], fields = {}) {
  const supervisor = await person("supervisor"), colleague = await enrolled({ owner: await person("inspector") });
  const about = { type: "finding", id: await report(colleague, fields) };
  const ids = [];
  for (const role of roles) ids.push(await colleague.capture(await a_photo(), { about, role, scope: SCOPE }));
  assert.ok(await until(colleague, () => colleague.everythingDelivered()));
  const photos = await Promise.all(ids.map(async (id) => (await colleague.get("evidence", id)).fields.sha256));
  colleague.close();
  const give = (assignee, kind) => supervisor.post("/records/task", { scope: SCOPE, fields: { title: kind, kind, about, assignee } });
  return { supervisor, about, photos, give };
}

/** A phone of somebody, and the copies that it has asked for. */
async function a_phone(owner, options = {}) {
  const way = network(() => null), asked = [];
  const fetch = (address, sent) => {
    const [, what] = String(address).split("/media/");
    if (what && sent.method === "GET") asked.push(what);
    return way.fetch(address, sent);
  };
  return { device: await enrolled({ owner, fetch, ...options }), asked, way };
}

const has = (device, sha256) => device.parts.store.read(async (t) => await t.get("thumb", `screen ${sha256}`) !== undefined);
/** All of a sync, what comes after it included. */
async function synced(device) {
  await device.sync();
  await device.pictures.renew();
}

test("a colleague's photo comes for a task about it, small ones first, never the original, and is there without a network", NEEDS_SERVER, async () => {
  const owner = await person("inspector"), { photos, give } = await reported(["scene", "close", "document"]);
  const database = `pictures-${process.pid}`, { device, asked } = await a_phone(owner, { database });
  await synced(device);
  assert.deepEqual([asked, await device.picture(photos[0])], [[], null], "nobody asked for it");
  await give(owner.user.id, "verify");
  await synced(device);
  const copies = (kind, of) => of.map((sha256) => `${sha256}/${kind}`).sort();
  assert.deepEqual([asked.slice(0, 3).sort(), asked.slice(3).sort()],
    [copies("thumb", photos), copies("screen", photos.slice(0, 2))]);
  await synced(device);
  assert.equal(asked.length, 5, "each is asked for once");
  device.close();
  const later = await reopened(database, { fetch: async () => { throw new TypeError("no network"); } });
  const [small, large] = [await later.thumb(photos[0]), await later.picture(photos[0])];
  assert.ok(0 < small.size && small.size < large.size);
  assert.equal(mediaTypeOf(new Uint8Array(await large.arrayBuffer())), "image/jpeg");
  assert.equal(await later.bringPicture(photos[2], "screen"), false);
  later.close();
});

test("what somebody looks at is brought though no task is about it", NEEDS_SERVER, async () => {
  const { photos } = await reported(), { device, asked, way } = await a_phone(await person("inspector"));
  await synced(device);
  const told = new Promise((resolve) => { device.onChange((data) => data && resolve()); });
  assert.deepEqual(await Promise.all([device.bringPicture(photos[0], "thumb"), device.bringPicture(photos[0], "thumb")]), [true, true]);
  await told;
  assert.deepEqual([asked, (await device.thumb(photos[0])).type], [[`${photos[0]}/thumb`], "image/jpeg"]);
  assert.equal(await device.bringPicture("0".repeat(64), "thumb"), false, "no record here names it");
  way.offline = true;
  assert.deepEqual([await device.bringPicture(photos[0], "screen"), await device.bringPicture(photos[0], "screen")], [false, false]);
  assert.equal(asked.length, 2, "a line that broke is left alone until the next sync");
  way.offline = false;
  await synced(device);
  assert.equal(await device.bringPicture(photos[0], "screen"), true);
  device.close();
});

test("what is to be judged unseen never comes, and goes where it was", NEEDS_SERVER, async () => {
  const owner = await person("inspector"), observed_at = "2025-06-01T02:00:00.000Z";
  const { photos: [photo], supervisor } = await reported(["scene"], { observed_at });
  const [early, late] = [await a_phone(owner), await a_phone(owner)];
  await synced(early.device);
  assert.equal(await early.device.bringPicture(photo, "screen"), true);
  const frame = { type: "finding", from: "2025-06-01T00:00:00.000Z", to: "2025-06-02T00:00:00.000Z", scopes: [SCOPE] };
  const { id } = await supervisor.post("/spot-checks", { title: "抽查", frame, size: 1 });
  await supervisor.post(`/spot-checks/${id}/draw`);
  await supervisor.post(`/spot-checks/${id}/visits`, { assignee: owner.user.id });
  for (const { device } of [early, late]) {
    await synced(device);
    assert.equal((await device.records("task")).filter(({ fields }) => fields.kind === "spot_check").length, 1);
    assert.deepEqual([await device.bringPicture(photo, "thumb"), await device.picture(photo)], [false, null]);
    device.close();
  }
  assert.deepEqual(late.asked, []);
});

test("a wish for Wi-Fi holds them, and what is not a picture is not kept", NEEDS_SERVER, async () => {
  const owner = await person("inspector"), { photos: [photo], give } = await reported();
  await give(owner.user.id, "look_back");
  let portal = true;
  const { device } = await a_phone(owner), { fetch: real } = device.parts.client;
  device.parts.client.fetch = (address, sent) => (portal && address.includes("/media/") ? new Response("<html>") : real(address, sent));
  await device.configure({ wifi_only: true });
  Object.defineProperty(navigator, "connection", { value: { type: "cellular" }, configurable: true });
  try {
    await synced(device);
    assert.equal(device.pictures.rests, false);
    navigator.connection.type = "wifi";
    await synced(device);
    assert.deepEqual([device.pictures.rests, await device.picture(photo)], [true, null]);
    portal = false;
    await synced(device);
    assert.ok(await has(device, photo));
  } finally {
    delete navigator.connection;
  }
  device.close();
});

test("room is bounded: the longest unused go first, what tasks are about stays", NEEDS_SERVER, async () => {
  const owner = await person("inspector"), named = await reported(), [first, second] = [await reported(), await reported()];
  await named.give(owner.user.id, "verify");
  const clock = { ahead: 0 }, { device } = await a_phone(owner, { clock: () => Date.now() + clock.ahead });
  await synced(device);
  const kept = async () => Object.values(await device.parts.store.get("pictures")).reduce((sum, { bytes }) => sum + bytes, 0);
  await device.bringPicture(first.photos[0], "screen");
  device.pictures.mostBytes = await kept();
  clock.ahead = 1000;
  await device.bringPicture(second.photos[0], "thumb"); // smaller
  assert.deepEqual([await has(device, first.photos[0]), await has(device, named.photos[0])], [false, true]);
  assert.ok(await device.thumb(second.photos[0]) && await kept() <= device.pictures.mostBytes);
  device.pictures.mostBytes = 1;
  assert.equal(await device.bringPicture(first.photos[0], "thumb"), false);
  assert.ok(await has(device, named.photos[0]));
  device.parts.files.short = true; // as the browser told the last sync
  await device.pictures.renew();
  assert.deepEqual([await device.picture(second.photos[0]), await has(device, named.photos[0])], [null, true]);
  device.close();
});

test("copies yield to a photo that the disk has no room for", async () => {
  const device = await a_device(), { put, delete: drop } = IDBObjectStore.prototype;
  await device.parts.store.write((t) => {
    t.put("thumb", new Blob(["theirs"]), "screen 1");
    t.set("pictures", { "screen 1": { bytes: 6, used: 1 } });
  });
  let full = true;
  IDBObjectStore.prototype.put = function (...given) {
    if (full && this.name === "bytes") throw new DOMException("full", "QuotaExceededError");
    return put.apply(this, given);
  };
  IDBObjectStore.prototype.delete = function (...given) {
    if (this.name === "thumb") full = false;
    return drop.apply(this, given);
  };
  const take = () => device.capture(new Blob(["mine"]), { about: { type: "finding", id: device.newId() }, role: "scene", scope: SCOPE });
  try {
    await take();
    full = true;
    await assert.rejects(take(), { name: "QuotaExceededError" });
  } finally {
    Object.assign(IDBObjectStore.prototype, { put, delete: drop });
  }
  assert.deepEqual([(await device.photos()).length, await device.picture("1"), await device.parts.store.get("pictures")], [1, null, null]);
  device.close();
});
