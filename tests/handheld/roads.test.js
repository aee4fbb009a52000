// The roads for the map: they come with a sync, are asked for once a day and after a change of scopes, and hinder nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SCOPE } from "./devices.js";
import { admin, enrolled, NEEDS_SERVER, network, person, report } from "./office.js";

const DAY_MS = 86_400_000, ELSEWHERE = "320402001";

function a_road(name, scope = SCOPE, line = [[119.95, 31.7], [119.96, 31.71]]) {
  return { type: "Feature", properties: { name, scope, carriageway_m: 9 }, geometry: { type: "LineString", coordinates: line } };
}

async function drawn(...features) {
  await (await admin()).post("/roads/import", { type: "FeatureCollection", features });
}

/** A device with a clock that can be put on, and what became of each question for roads. */
async function with_roads(options = {}) {
  const answers = [], way = network(() => null), clock = { ahead: 0 };
  const fetch = async (address, sent) => {
    if (!address.endsWith("/roads")) return way.fetch(address, sent);
    if (way.without_roads) throw new TypeError("the line broke");
    const answer = await way.fetch(address, sent);
    answers.push(answer.status);
    return answer;
  };
  const device = await enrolled({ fetch, clock: () => Date.now() + clock.ahead, ...options });
  return { device, way, answers, clock };
}

async function names(device) {
  return (await device.kept("roads", [])).map(({ name }) => name).sort();
}

test("roads come with a sync and are asked for once a day, by their tag", NEEDS_SERVER, async () => {
  await drawn(a_road("武宜路"), a_road("别处的路", ELSEWHERE));
  const { device, answers, clock } = await with_roads();
  await device.sync();
  assert.deepEqual(await device.kept("roads"), [{ name: "武宜路", width_m: 9, parts: [[[119.95, 31.7], [119.96, 31.71]]] }]);
  const { got } = await device.kept("roads_asked");
  await device.sync();
  assert.deepEqual(answers, [200]);
  clock.ahead = DAY_MS;
  await device.sync();
  await device.sync();
  assert.deepEqual([answers, (await device.kept("roads_asked")).got, await names(device)], [[200, 304], got, ["武宜路"]]);
  await drawn(a_road("花园街"));
  clock.ahead = 2 * DAY_MS;
  await device.sync();
  assert.deepEqual([answers, await names(device)], [[200, 304, 200], ["武宜路", "花园街"]]);
  device.close();
});

test("other scopes are other roads, asked for at once", NEEDS_SERVER, async () => {
  await drawn(a_road("武宜路"), a_road("别处的路", ELSEWHERE));
  const owner = await person("inspector"), { device, answers } = await with_roads({ owner });
  await device.sync();
  await (await admin()).request("PATCH", `/users/${owner.user.id}`, { json: { scopes: [ELSEWHERE] } });
  await device.sync();
  assert.deepEqual([answers, await names(device)], [[200, 200], ["别处的路"]]);
  device.close();
});

test("roads that do not come end no sync, are told of once, and come with a later one", NEEDS_SERVER, async () => {
  await drawn(a_road("武宜路"));
  const { device, way, answers, clock } = await with_roads();
  way.without_roads = true;
  await report(device);
  for (let times = 0; times < 2; times += 1) await device.sync();
  assert.deepEqual((await device.events()).map(({ kind }) => kind), ["roads_failed"]);
  assert.equal(device.syncing.failure, null);
  assert.equal(await device.everythingDelivered(), true);
  way.without_roads = false;
  await device.sync();
  assert.deepEqual([answers, (await names(device)).includes("武宜路")], [[200], true]);
  way.without_roads = true;
  clock.ahead = DAY_MS;
  await device.sync();
  assert.equal((await device.events()).length, 2);
  assert.ok((await names(device)).includes("武宜路"), "the old ones stay");
  device.close();
});

test("an answer that is no list of roads leaves what is here", NEEDS_SERVER, async () => {
  const way = network(() => null);
  const fetch = async (address, sent) => (address.endsWith("/roads") ? new Response("<html>") : way.fetch(address, sent));
  const device = await enrolled({ fetch });
  await device.sync();
  assert.deepEqual([await names(device), (await device.events()).map(({ kind }) => kind)], [[], ["roads_failed"]]);
  device.close();
});
