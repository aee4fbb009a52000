// One photo, looked at.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_phone, row, shown, until } from "./screen.js";

const { Viewer } = await import("../../server/handheld/app/screens/finding/viewer.js");
const PNG = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1])]);

test("a photo that is not here is asked for again with each news while it is looked at", async () => {
  const device = await a_phone(), sha256 = "a".repeat(64);
  let line = false, asked = 0;
  device.bringPicture = async () => (asked += 1, line);
  device.picture = async () => (line ? PNG : null);
  const page = await shown(device, Viewer, { photo: row("evidence", "photo", { sha256, role: "scene", captured_at: "2026-11-27T01:00:00.000Z" }), way: "", onClose() {} });
  await page.see("div", "有网");
  line = true;
  await device.keep("news", 1);
  await page.see("img");
  const { length } = page.all("div", "有网"), before = asked;
  await device.keep("news", 2);
  await until(async () => (await device.kept("news")) === 2);
  assert.deepEqual([length, asked], [0, before]);
});
