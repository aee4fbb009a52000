// A store without room: what may go makes room before anything is written, and what waits goes out all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, a_finding, SCOPE } from "./devices.js";

const NOW = "2026-11-22T02:00:00.000Z", LONG_AGO = "2026-01-01T00:00:00.000Z";

/** A server that takes all and has seen nothing before; what it was asked stands in `asked`. */
function an_office() {
  const asked = [], common = { epoch: "e", server_time: NOW, checkpoint: null };
  const fetch = async (url, { method, body, headers }) => {
    const { pathname } = new URL(url);
    asked.push(`${method} ${pathname.split("/")[3]}`);
    if (pathname.endsWith("/hello")) return Response.json({ ...common, limits: {}, scopes: { codes: [SCOPE] }, user: {}, device: { id: "device-1", last_n: 0 } });
    if (pathname.endsWith("/pull")) return Response.json({ ...common, changes: [], cursor: "c", more: false, last_n: 2, scopes: { codes: [] }, media_wanted: [], settled: [] });
    if (!pathname.endsWith("/push")) return new Response(null, { status: method === "HEAD" ? 404 : 507 });
    const text = headers["Content-Encoding"] ? new Blob([body]).stream().pipeThrough(new DecompressionStream("gzip")) : body;
    const { mutations } = await new Response(text).json();
    return Response.json({ ...common, last_n: 2, outcomes: mutations.map(({ n, id }) => ({ n, id, outcome: "applied", version: 1, conflicts: [], problem: null })) });
  };
  return { asked, fetch };
}

/** A device with a finding and a photo that wait, and a photo that was verified long ago; all with small pictures. */
async function a_full_device(fetch, verified_at = LONG_AGO) {
  const device = await a_device({ fetch });
  await device.create("finding", a_finding(), SCOPE);
  await device.capture(new Blob(["x"]), { about: { type: "finding", id: device.newId() }, role: "scene", scope: SCOPE });
  await device.parts.store.write((t) => {
    for (const [name, value] of Object.entries({ cursor: "c", epoch: "e", journal_key: "k" })) t.set(name, value);
    t.put("bytes", new Blob(["old"]), "old");
    t.put("thumb", new Blob(["small"]), "old");
    t.put("file", { sha256: "old", bytes: 3, offset: 3, state: "verified", kept: true, verified_at, added_at: LONG_AGO });
  });
  return device;
}

/** Do it while the store takes nothing until something went from the one of that name. */
async function full_until(gone, work) {
  const { put, delete: remove } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
  IDBObjectStore.prototype.delete = function (...key) {
    if (this.name === gone) IDBObjectStore.prototype.put = put;
    return remove.apply(this, key);
  };
  try {
    return await work();
  } finally {
    Object.assign(IDBObjectStore.prototype, { put, delete: remove });
  }
}

test("bytes that may go make room before hello is written down, else small pictures do", async () => {
  for (const [gone, verified_at] of [["bytes", LONG_AGO], ["thumb", NOW]]) {
    const { fetch } = an_office(), device = await a_full_device(fetch, verified_at);
    await full_until(gone, () => assert.rejects(device.sync(), { status: 507 })); // for the photo
    assert.equal((await device.health()).unsent, 0);
    assert.deepEqual([await device.bytes("old") === null, await device.thumb("old") === null], [gone === "bytes", gone === "thumb"]);
    device.close();
  }
});

test("where nothing makes room, records and photos go out, and nothing is taken for delivered", async () => {
  const { asked, fetch } = an_office(), device = await a_full_device(fetch);
  await full_until("", () => assert.rejects(device.sync(), { name: "QuotaExceededError" }));
  assert.deepEqual(asked, ["GET hello", "POST sync", "HEAD media", "POST uploads", "GET sync"]);
  assert.deepEqual([(await device.health()).unsent, await device.bytes("old")], [2, null]);
  device.close();
});

test("a store that is full after a sync is no failure that nobody waits for", async () => {
  const device = await a_device({ fetch: an_office().fetch }), unheard = [], hear = (failure) => unheard.push(failure);
  device.talking.parts.after = async () => { throw new DOMException("full", "QuotaExceededError"); };
  process.on("unhandledRejection", hear);
  device.talking.parts.tabs.turn = async () => ({});
  await device.sync();
  await new Promise((done) => setTimeout(done, 20));
  process.off("unhandledRejection", hear);
  assert.deepEqual(unheard, []);
  device.close();
});

test("a photo whose bytes went by themselves is not waited for when the server wants it again", async () => {
  const device = await a_full_device(an_office().fetch), { store, files } = device.parts;
  await store.write((t) => t.delete("bytes", "old"));
  await store.write((t) => files.want(t, ["old"]));
  assert.equal((await device.photos("gone")).length, 1);
  device.close();
});
