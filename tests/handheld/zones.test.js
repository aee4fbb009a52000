// The device's reckoning of zones against the server's own answers (vectors_zones.py).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { twinsOf } from "../../server/handheld/app/device/duplicates.js";
import { owensT } from "../../server/handheld/app/device/gaussian.js";
import { ZoneIndex, decided, zoneOf } from "../../server/handheld/app/device/zones.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function vectors(seed) {
  const python = process.env.PYTHON ?? `${ROOT}.venv/bin/python`;
  return JSON.parse(execFileSync(python, [`${ROOT}tests/handheld/vectors_zones.py`, String(seed)],
    { env: { ...process.env, PYTHONPATH: ROOT }, maxBuffer: 2 ** 26 }).toString());
}

test("every question of place, time and sticker has the server's answer", () => {
  const { limits, zones, asks } = vectors(7);
  const index = new ZoneIndex(zones.map(zoneOf), limits), decisions = new Set();
  for (const { answer, at, ...asked } of asks) {
    const found = index.attribute({ ...asked, at: Date.parse(at) }), told = JSON.stringify({ asked, at });
    decisions.add(`${found.decision} ${found.candidates[0]?.method}`);
    assert.equal(found.decision, answer.decision, told);
    assert.deepEqual(found.candidates.map((one) => one.zone_id), answer.candidates.map((one) => one.zone_id), told);
    found.candidates.forEach((one, n) => {
      const { probability, distance_m, ...rest } = one, theirs = answer.candidates[n];
      assert.ok(Math.abs(probability - theirs.probability) <= 1e-4, `${probability} ${theirs.probability} ${told}`);
      assert.ok(distance_m === theirs.distance_m || Math.abs(distance_m - theirs.distance_m) <= 0.02, told);
      for (const [name, value] of Object.entries(rest)) assert.deepEqual(value, theirs[name], `${name} ${told}`);
    });
  }
  for (const each of ["certain sticker", "certain position", "probable position", "ambiguous position"]) {
    assert.ok(decisions.has(each), each);
  }
});

test("Owen's function has the values of its tables", () => {
  for (const [h, a, value] of [[0, 1, 0.125], [0.0625, 0.25, 3.8911930234701366e-02], [6.5, 0.4375, 2.0005773048508315e-11],
    [7, 0.96875, 6.3990627193898685e-13], [4.78125, 0.0625, 1.0632974804687463e-07], [2, 0.5, 8.6250779855215071e-03],
    [1, 0.9999975, 6.6741808978228592e-02]]) {
    assert.ok(Math.abs(owensT(h, a) - value) < 1e-14, `${h} ${a}`);
    assert.equal(owensT(h, -a), -owensT(h, a));
  }
  assert.ok(Math.abs(owensT(1, 1e12) - 0.15865525393145707 / 2) < 1e-15);
});

test("a decision that is neither certain nor probable settles no zone", () => {
  const first = { zone_id: "z" };
  assert.equal(decided({ decision: "probable", candidates: [first] }), first);
  assert.equal(decided({ decision: "ambiguous", candidates: [first] }), null);
});

test("findings of the same class, near in place and time and still open are twins", () => {
  const limits = { within_m: 30, within_hours: 24, most: 10, closed: ["closed"] };
  const here = { class_scheme: "s", class_code: "1", observed_at: "2026-03-01T08:00:00Z",
    position: { lon: 119.9, lat: 31.7, crs: "EPSG:4326" } };
  const other = (id, change) => ({ id, fields: { ...here, status: "reported", ...change } });
  const findings = [other("near", { position: { lon: 0, lat: 0, crs: "GCJ-02", normalized: { lon: 119.9002, lat: 31.7 } } }),
    other("same", {}), other("far", { position: { lon: 119.901, lat: 31.7, crs: "EPSG:4326" } }),
    other("late", { observed_at: "2026-03-02T09:00:00Z" }), other("shut", { status: "closed" }),
    other("else", { class_code: "2" }), other("nowhere", { position: undefined, address: "x" })];
  assert.deepEqual(twinsOf(here, findings, limits).map(({ record }) => record.id), ["same", "near"]);
});
