// The device as a witness: a journal that another key signed, that shrank or forked is refused; nothing here is lost by it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { enrolled, NEEDS_SERVER, report } from "./office.js";

/** A device whose server's answers pass through `change`. */
async function changed(change) {
  const fetched = async (address, options) => {
    const answer = await fetch(address, options);
    if (!/json/.test(answer.headers.get("Content-Type") ?? "")) return answer;
    const { status, headers } = answer;
    return new Response(JSON.stringify(change(await answer.json(), address)), { status, headers });
  };
  const device = await enrolled();
  await device.sync();
  device.parts.client.fetch = fetched;
  return device;
}

/** Does a sync refuse the journal, say so, and keep what waits? */
async function refuses(device) {
  await report(device);
  await assert.rejects(device.sync(), { name: "LogRefused" });
  await device.know();
  assert.equal(device.syncing.failure.kind, "log_refused");
  assert.equal((await device.outbox()).length, 1);
  assert.equal(device.syncing.doing, null);
  device.close();
}

test("a checkpoint that the journal's key did not sign", NEEDS_SERVER, async () => {
  await refuses(await changed((body) => (body.checkpoint
    ? { ...body, checkpoint: body.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`) } : body)));
});

test("a journal that does not hold what was shown before", NEEDS_SERVER, async () => {
  const device = await changed((body) => body);
  const { store } = device.parts;
  const [newest] = (await store.read((t) => t.all("checkpoint"))).slice(-1);
  const forged = newest.note.split("\n");
  forged[2] = btoa("0".repeat(32));
  await store.write((t) => t.put("checkpoint", { ...newest, note: forged.join("\n"), root: "30".repeat(32) }));
  await refuses(device);
});

test("proofs that the server does not give", NEEDS_SERVER, async () => {
  const device = await changed((body, address) => (address.includes("/journal/consistency") ? { hashes: [] } : body));
  const before = (await device.parts.store.read((t) => t.all("checkpoint"))).length;
  await report(device);
  const refused = device.sync();
  await refused.catch(() => undefined);
  for (let round = 0; round < 20 && !device.syncing.failure; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250)); // until the journal has grown
    await report(device);
    await device.sync().catch(() => undefined);
    await device.know();
  }
  assert.equal(device.syncing.failure?.kind, "log_refused");
  assert.equal((await device.parts.store.read((t) => t.all("checkpoint"))).length, before);
  device.close();
});
