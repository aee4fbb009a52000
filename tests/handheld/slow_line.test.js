// A line on which little goes at once: time is given by size, and what took too long is tried in halves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../server/handheld/app/device/client.js";
import { enrolled, NEEDS_SERVER, report } from "./office.js";

test("the larger a body, the longer it may take", async () => {
  const { timeout } = AbortSignal, given = [];
  AbortSignal.timeout = (ms) => given.push(ms) && new AbortController().signal;
  try {
    const client = new Client("http://127.0.0.1:9", { fetch: async () => Response.json({}) });
    await client.get("/hello");
    await client.postBytes("/sync/push", new Uint8Array(2_000_000), {});
  } finally {
    AbortSignal.timeout = timeout;
  }
  assert.deepEqual(given, [60_000, 1_060_000]);
});

test("a push that takes too long goes in halves until the line is quick again", NEEDS_SERVER, async () => {
  const sizes = [];
  let now = Date.now(), bytesInTime = 3000;
  const device = await enrolled({ clock: () => now, fetch: async (address, options) => {
    if (/\/sync\/push/.test(address)) {
      sizes.push(options.body.length);
      now += Math.round(60_000 * options.body.length / bytesInTime);
      if (options.body.length > bytesInTime) throw new DOMException("signal timed out", "TimeoutError");
    }
    return fetch(address, options);
  } });
  const text = () => Array.from({ length: 8 }, () => crypto.randomUUID()).join(" ");
  for (let count = 0; count < 32; count += 1) await report(device, { text: text() });
  let attempts = 0;
  for (; (await device.health()).unsent && attempts < 9; attempts += 1) await device.sync().catch(({ name }) => assert.equal(name, "Unreachable"));
  const tooLong = sizes.filter((size) => size > 3000);
  assert.deepEqual([(await device.health()).unsent, attempts, tooLong.length], [0, tooLong.length + 1, tooLong.length]);
  assert.ok(tooLong.length > 0);
  for (let count = 0; count < 8; count += 1) await report(device, { text: text() });
  await device.sync();
  assert.equal(sizes.filter((size) => size > 3000).length, tooLong.length);
  bytesInTime = 1e6;
  for (let count = 0; count < 32; count += 1) await report(device, { text: text() });
  sizes.length = 0;
  await device.sync();
  assert.ok(sizes.length <= 5 && Math.max(...sizes) > 3000, String(sizes));
  device.close();
});
