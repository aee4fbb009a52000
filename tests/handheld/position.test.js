// What is said of the position: one truth at a time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_finding } from "./devices.js";
import { a_phone, a_zone, rest, row, screen, shown } from "./screen.js";

const { PositionLine, usePosition } = await import("../../server/handheld/app/parts/position.js");
const { html } = await import("../../server/handheld/app/parts/html.js");

const Finding = await screen("finding");

const watching = new Set();
Object.assign(navigator, { geolocation: { watchPosition: (told, failed) => {
  const one = { told, failed };
  watching.add(one);
  return one;
}, clearWatch: (one) => watching.delete(one) } });
const Line = () => html`<${PositionLine} ...${usePosition()} />`;

/** What the browser says to whoever watches. */
function says(name, word) {
  for (const each of watching) each[name](word);
  return rest();
}
const a_fix = (ago_ms) => ({ timestamp: Date.now() - ago_ms, coords: { longitude: 119.95, latitude: 31.7, accuracy: 6 } });

test("a refused position is not said to be looked for, and one that is shown is not said to be waited for", async () => {
  const page = await shown(await a_phone(), Line);
  assert.ok(page.find("p", "正在定位"));
  await says("failed", { code: 1 });
  assert.ok(page.find("div", "定位被拒绝") && !page.find("p", "正在定位"));
  await says("failed", { code: 3 });
  assert.ok(page.find("div", "还没有结果"));
  await says("told", a_fix(0));
  await says("failed", { code: 3 });
  assert.ok(page.find("b", "±") && !page.find("div", "还没有结果"));
});

test("a fix of twenty minutes ago says its age, and places nothing", async () => {
  let here;
  const page = await shown(await a_phone(), () => {
    const where = usePosition();
    ({ here } = where);
    return html`<${PositionLine} ...${where} />`;
  });
  await says("told", a_fix(1_200_000));
  assert.ok(page.find("span", "1200 秒前") && page.find("div", "不是现在的"));
  assert.equal(here, null);
});

test("a finding that no position and no sticker places is not said to lie in no zone", async () => {
  const a_case = (id, fields) => row("finding", id, { ...a_finding(), status: "reported", inspector_id: "me", ...fields });
  const device = await a_phone(a_zone("z"), a_case("bare", {}), a_case("placed", { position: { lon: 118, lat: 31, crs: "EPSG:4490", accuracy_m: 5 } }));
  const page = await shown(device, Finding, { params: { id: "bare" } });
  assert.match((await page.see("p", "没有定位,未推算")).textContent, /^未定/);
  assert.ok(!page.find("p", "本机推算"));
  await (await shown(device, Finding, { params: { id: "placed" } })).see("p", "不在责任区内 · 本机推算");
});
