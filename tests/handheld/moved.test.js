// A person who is moved to another street with a form begun.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SCOPE } from "./devices.js";
import { a_photo, admin, enrolled, NEEDS_SERVER, on_server, person, until } from "./office.js";
import { keepFinding } from "../../server/handheld/app/screens/find/keep.js";

const ELSEWHERE = "320411100";
globalThis.localStorage = { getItem: () => null }; // where the chosen language stands

test("a draft whose inspector was moved to another street stays whole: it is released with its photos, where they were taken", NEEDS_SERVER, async () => {
  const owner = await person("inspector"), device = await enrolled({ owner }), id = device.newId();
  await device.capture(await a_photo(), { about: { type: "finding", id }, role: "scene", scope: SCOPE });
  await device.sync();
  await (await admin()).request("PATCH", `/users/${owner.user.id}`, { json: { scopes: [ELSEWHERE] } });
  await until(device, () => device.scopes[0] === ELSEWHERE);
  const photos = await device.records("evidence");
  assert.deepEqual(photos.map(({ scope }) => scope), [SCOPE]); // held by the server, and still shown here
  await keepFinding(device, id, { fields: { text: "占道", address: "武宜路 1 号" }, observed_at: "2026-11-27T01:00:00.000Z" },
    { position: null, scope: SCOPE, attribution: null, away: SCOPE }, photos);
  await device.sync();
  const office = await person("supervisor"), { items } = await office.get("/quarantine");
  for (const item of items.filter((one) => one.device_id === device.id)) await office.post(`/quarantine/${item.id}/release`, {});
  assert.deepEqual(await on_server("finding", id).then(({ scope }) => scope), SCOPE);
  assert.deepEqual(await on_server("evidence", photos[0].id).then(({ scope, fields }) => [scope, fields.about.id]), [SCOPE, id]);
  device.close();
});
