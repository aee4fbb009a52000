// The first synchronisation by a snapshot: resumed after cuts and restarts, verified, with undelivered work left on top.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { enrolled, NEEDS_SERVER, person, quiet, reopened, report } from "./office.js";

const SCOPED = { owner: undefined };

/** A way to the server that passes at most so many bytes of a snapshot a time, or bytes that were damaged. */
function line() {
  const way = { most: Infinity, damage: false, passed: 0, asked: [] };
  way.fetch = async (address, options) => {
    way.asked.push(`${options.method} ${new URL(address).pathname.replace("/api/v1", "").split("s/")[0]}`);
    const answer = await fetch(address, options);
    if (!address.includes("/sync/snapshots/") || !answer.ok) return answer;
    const content = new Uint8Array(await answer.arrayBuffer()), part = content.slice(0, way.most);
    way.passed += part.length;
    if (way.damage) part.fill(0);
    let sent = false;
    const body = new ReadableStream({
      pull(controller) { // the bytes first: an error throws away what nobody has read yet
        if (!sent) controller.enqueue(part);
        else if (part.length < content.length) controller.error(new TypeError("the line was cut"));
        else controller.close();
        sent = true;
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
  return way;
}

before(async () => {
  if (NEEDS_SERVER.skip) return;
  SCOPED.owner = await person("inspector");
  const writer = await enrolled(SCOPED);
  for (let number = 0; number < 30; number += 1) await report(writer, { text: `门前堆物 ${number}` });
  await writer.sync();
  writer.close();
});

const downloads = (way) => way.asked.filter((asked) => asked === "GET /sync/snapshot").length;

test("the first pull loads a snapshot, and then its tail", NEEDS_SERVER, async () => {
  const way = line(), device = await enrolled({ ...SCOPED, fetch: way.fetch });
  await device.sync();
  assert.equal(downloads(way), 1);
  assert.ok((await device.records("finding")).length >= 30);
  assert.deepEqual(await device.verify(), []);
  assert.deepEqual(await device.parts.store.read((t) => t.all("snapshot")), []);
  way.asked.length = 0;
  await device.sync();
  assert.equal(downloads(way), 0);
  device.close();
});

test("a cut download goes on where it stopped, over a restart too, and no byte comes twice", NEEDS_SERVER, async () => {
  const way = line(), database = "cut";
  const device = await enrolled({ ...SCOPED, fetch: way.fetch, database });
  await report(device, { text: "未送的" });
  const offer = await device.parts.client.post("/sync/snapshot");
  way.most = Math.ceil(offer.bytes / 6);
  await device.sync();
  assert.equal(way.passed, offer.bytes);
  assert.ok(downloads(way) > 3);
  assert.deepEqual([await device.verify(), (await device.health()).unsent], [[], 0]);
  device.close();

  const other = line(), second = await enrolled({ ...SCOPED, fetch: other.fetch, database: "restarted" });
  other.most = way.most;
  let asked = 0;
  const inner = other.fetch;
  second.parts.client.fetch = (address, options) => {
    if (address.includes("/sync/snapshots/") && ++asked > 2) throw new TypeError("no network any more");
    return inner(address, options);
  };
  await assert.rejects(second.sync(), { name: "Unreachable" });
  assert.deepEqual(await second.records("finding"), []);
  second.close();
  other.most = Infinity;
  const again = await reopened("restarted", { fetch: other.fetch });
  await again.sync();
  assert.equal(other.passed, (await again.parts.client.post("/sync/snapshot")).bytes);
  assert.deepEqual(await again.verify(), []);
  again.close();
});

test("what was damaged on the way is never applied; a plain pull brings the same", NEEDS_SERVER, async () => {
  const way = line(), device = await enrolled({ ...SCOPED, fetch: way.fetch });
  way.damage = true;
  await device.sync();
  assert.ok(downloads(way) >= 1);
  assert.deepEqual(await device.verify(), []);
  assert.ok((await device.records("finding")).length >= 30);
  device.close();
});

test("begun again, what is shown stays until the whole snapshot is here, with undelivered work on top", NEEDS_SERVER, async () => {
  const way = line(), device = await enrolled({ ...SCOPED, fetch: way.fetch });
  await quiet(device);
  const [first] = await device.records("finding");
  await device.edit("finding", first.id, { set: { text: "离线改" } });
  await device.parts.store.put("cursor", "forged");
  const inner = way.fetch;
  device.parts.client.fetch = (address, options) => {
    if (address.includes("/sync/snapshots/")) throw new TypeError("no network");
    return inner(address, options);
  };
  await assert.rejects(device.parts.exchange.pull(), { name: "Unreachable" });
  assert.equal((await device.get("finding", first.id)).fields.text, "离线改");
  assert.ok((await device.records("finding")).length >= 30);
  device.parts.client.fetch = inner;
  await quiet(device);
  assert.deepEqual([await device.outbox(), await device.verify()], [[], []]);
  assert.equal((await device.get("finding", first.id)).fields.text, "离线改");
  device.close();
});
