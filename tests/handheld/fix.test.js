// Positions and their time: a fix of another time is of another place, and a wrong clock takes none away.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ageOf, near, timeOf } from "../../server/handheld/app/parts/fix.js";

const NOW = Date.parse("2026-11-27T03:00:00Z"), A_YEAR_MS = 365 * 86_400_000;

/** @param {number} ms @returns {any} */
const had = (ms) => ({ lon: 119.95, lat: 31.77, crs: "EPSG:4326", fixed_at: new Date(ms).toISOString() });

test("a fix keeps its own time where the phone's clock agrees, and has the clock's where it does not", () => {
  assert.equal(timeOf({ timestamp: NOW - 40_000 }, NOW), NOW - 40_000);
  assert.equal(timeOf({ timestamp: NOW - A_YEAR_MS }, NOW), NOW);
  assert.equal(timeOf({ timestamp: NOW + A_YEAR_MS }, NOW), NOW);
  const behind = had(timeOf({ timestamp: NOW }, NOW - A_YEAR_MS));
  assert.equal(near(behind, NOW - A_YEAR_MS + 1_000), behind, "a photo of a phone whose clock is a year off has its place");
});

test("what is made lies at a fix of its own time, and at no older one", () => {
  const now = had(NOW - 90_000), morning = had(NOW - 7_200_000);
  assert.equal(near(now, NOW), now);
  assert.equal(near(morning, NOW), null);
  assert.equal(near(null, NOW), null);
  assert.equal(near(morning, NOW - 7_190_000), morning, "a file of this morning lies where the phone was then");
  assert.equal(ageOf(morning, NOW), 7_200);
});
