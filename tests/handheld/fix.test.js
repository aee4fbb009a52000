// Positions and their time: a fix of another time is of another place, and a wrong clock takes none away.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ageOf, near, timed } from "../../server/handheld/app/parts/fix.js";

const NOW = Date.parse("2026-11-27T03:00:00Z"), A_YEAR_MS = 365 * 86_400_000;

/** @param {number} ms @returns {any} */
const had = (ms) => ({ lon: 119.95, lat: 31.77, crs: "EPSG:4326", fixed_at: new Date(ms).toISOString() });

/** The times of fixes that come 20 s apart from now on, of stamps that are so far off each, as seconds before the fix came. */
function ages(...off) {
  let before = null;
  return off.map((ms, n) => {
    const now = NOW + n * 20_000;
    before = timed({ timestamp: now + ms }, now, before);
    return (now - before.at) / 1000;
  });
}
const MIN = 60_000;

test("a fix keeps its own time where the phone's clock agrees, and has the clock's where it is another clock's", () => {
  assert.deepEqual(ages(-40_000, 40_000), [40, -40]);
  assert.deepEqual(ages(-A_YEAR_MS, -A_YEAR_MS, A_YEAR_MS), [0, 0, 0]);
  const behind = had(timed({ timestamp: NOW }, NOW - A_YEAR_MS, null).at);
  assert.equal(near(behind, NOW - A_YEAR_MS + 1_000), behind, "a photo of a phone whose clock is a year off has its place");
});

test("a fix that is older than two minutes is as old as it says, unless all stamps of the phone are off by as much", () => {
  assert.deepEqual(ages(-20 * MIN, 0, -5 * MIN), [1200, 0, 300]);
  assert.deepEqual(ages(-20 * MIN, -20 * MIN, -21 * MIN, -19 * MIN), [1200, 0, 60, 0], "a clock that is 20 minutes fast");
  assert.deepEqual(ages(10 * MIN, 10 * MIN, 6 * MIN), [0, 0, 240], "a clock that is slow is known by one stamp");
  assert.deepEqual(ages(-20 * MIN, -20 * MIN - 20_000, -20 * MIN - 40_000), [1200, 1220, 1240], "one old fix that is told again stays old");
  assert.deepEqual(ages(-A_YEAR_MS, -20 * MIN, 0), [0, 1200, 0]);
});

test("what is made lies at a fix of its own time, and at no older one", () => {
  const now = had(NOW - 90_000), morning = had(NOW - 7_200_000);
  assert.equal(near(now, NOW), now);
  assert.equal(near(morning, NOW), null);
  assert.equal(near(null, NOW), null);
  assert.equal(near(morning, NOW - 7_190_000), morning, "a file of this morning lies where the phone was then");
  assert.equal(ageOf(morning, NOW), 7_200);
});
