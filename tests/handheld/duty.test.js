// Duty without a window: what two tabs do to it at once, the tries at the lock's keypad by a clock that was wrong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { add, goOffDuty, goOnDuty, putPoints } from "../../server/handheld/app/parts/duty.js";
import { bounded } from "../../server/handheld/app/parts/pin.js";
import { a_device, SCOPE } from "./devices.js";

const A_YEAR_MS = 365 * 86_400_000, QUARTER_MS = 900_000;

/** @param {number} at @returns {any} a position as the browser gives it */
const fix = (at) => ({ timestamp: at, coords: { longitude: 119.95, latitude: 31.77, accuracy: 5 } });

test("a fix that comes while another tab goes off duty is in the track, and duty is over", async () => {
  const device = await a_device();
  await goOnDuty(device, SCOPE);
  const duty = await device.kept("duty");
  await goOnDuty(device, SCOPE);
  assert.equal((await device.kept("duty")).track, duty.track, "what goes on is not begun anew");
  await Promise.all([add(device, duty.track, fix(1_000_000), 1_000_000), goOffDuty(device)]);
  assert.equal(await device.kept("duty", null), null);
  await add(device, duty.track, fix(2_000_000), 2_000_000);
  assert.equal(await device.kept("duty", null), null);
  assert.equal((await device.get("track", duty.track))?.fields.points.length, 1);
  device.close();
});

test("points that wait for their batch go into the outbox before it is exported, once", async () => {
  const device = await a_device();
  await goOnDuty(device, SCOPE);
  const { track } = await device.kept("duty");
  for (const at of [1, 2, 3]) await add(device, track, fix(at * 1_000_000), at * 1_000_000); // the first makes the track, two wait
  const walked = async () => (await device.get("track", track))?.fields.points.length;
  assert.equal(await walked(), 1);
  await putPoints(device);
  await putPoints(device);
  assert.equal(await walked(), 3);
  assert.equal((await device.outbox()).length, 2);
  device.close();
});

test("a wait that a fast clock set is no longer than the longest once the clock is right", () => {
  const now = 1_800_000_000_000;
  assert.deepEqual(bounded({ wrong: 3, until: now + A_YEAR_MS }, now), { wrong: 3, until: now + QUARTER_MS });
  const soon = { wrong: 3, until: now + 15_000 };
  assert.equal(bounded(soon, now), soon);
});
