// When the device talks by itself: the browser's background sync, coming again after a failure, going on after a pause.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "../../server/handheld/app/device/client.js";
import { a_device, a_finding, SCOPE } from "./devices.js";

/** A device whose network fails, with what it asked of the browser's background sync. */
async function out_of_reach(online) {
  const asked = { registered: [], fetched: 0 };
  globalThis.registration = { sync: { register: async (tag) => asked.registered.push(tag) } };
  Object.defineProperty(navigator, "onLine", { value: online, configurable: true });
  const fetch = async () => {
    asked.fetched += 1;
    throw new TypeError("no network");
  };
  return { asked, device: await a_device({ fetch, patience: new Patience({ tries: 1 }) }) };
}

async function until(so) {
  for (let round = 0; round < 100 && !so(); round += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(so());
}

test("with a network nothing is asked of the background, and what it asks does not hasten the next attempt", async () => {
  const { asked, device } = await out_of_reach(true);
  await device.create("finding", a_finding(), SCOPE);
  device.syncSoon();
  await until(() => device.talking.timer);
  const before = asked.fetched;
  device.syncSoon({ background: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([asked.registered, asked.fetched - before, device.talking.failures], [[], 0, 1]);
  device.syncSoon(); // a person's wish, or a new network, does
  await until(() => device.talking.failures === 2);
  device.close();
});

test("who asks to come again much later is not asked sooner, but by a person", async () => {
  const { timers, asked } = { timers: [], asked: [] }, { setTimeout } = globalThis;
  Object.defineProperty(navigator, "onLine", { value: true, configurable: true });
  const device = await a_device({ fetch: async (address) => {
    asked.push(address);
    return Response.json({ code: "busy", action: "retry" }, { status: 503, headers: { "Retry-After": "600" } });
  } });
  globalThis.setTimeout = (work, ms, ...rest) => timers.push(ms) && setTimeout(work, ms, ...rest);
  try {
    device.syncSoon();
    await until(() => device.talking.timer);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  device.syncSoon({ background: true });
  assert.deepEqual([asked.length, Math.max(...timers)], [1, 600_000]);
  device.close();
});

test("without a network the background is asked once something waits, but not while paused", async () => {
  const { asked, device } = await out_of_reach(false);
  const ask = async () => {
    device.syncSoon();
    await until(() => !device.talking.running);
  };
  await ask();
  assert.deepEqual(asked.registered, []);
  await device.create("finding", a_finding(), SCOPE);
  await ask();
  assert.deepEqual(asked, { registered: ["menqian"], fetched: 0 });
  await device.configure({ paused: true });
  await ask();
  assert.equal(asked.registered.length, 1);
  device.close();
});
