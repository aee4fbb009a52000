// What is said of a shot: those still in memory may be kept later, those whose file is gone are taken again, and so are those
// that the server may refuse.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, SCOPE } from "./devices.js";

globalThis.localStorage = { getItem: () => null };
globalThis.addEventListener = globalThis.removeEventListener = () => {};
const { doubtOf } = await import("../../server/handheld/app/parts/picture.js");
const { keepShots } = await import("../../server/handheld/app/parts/unkept.js");

function a_shot(device, photo) {
  const kept = [], id = device.newId();
  return { photo, kept, captured: { id, about: { type: "finding", id: device.newId() }, role: "scene", scope: SCOPE }, onKept: () => kept.push(id) };
}

test("a file that the phone cleared away is said to be gone, and the shot beside it is kept", async () => {
  const device = await a_device(), lost = a_shot(device, new Blob(["lost"])), good = a_shot(device, new Blob(["good"]));
  lost.photo.arrayBuffer = async () => { throw new DOMException("The requested file could not be read", "NotReadableError"); };
  await keepShots(device, [lost, good]);
  assert.match(lost.problem, /^照片文件已被手机清除/);
  assert.deepEqual([lost.gone, lost.busy, lost.kept.length, good.kept.length], [true, false, 0, 1]);
  device.close();
});

test("what the disk had no room for is in memory, whatever becomes of its file", async () => {
  const device = await a_device(), shot = a_shot(device, new Blob(["held"], { type: "image/jpeg" })), { photo } = shot, { capture } = device;
  device.capture = async () => { throw new DOMException("full", "QuotaExceededError"); };
  await keepShots(device, [shot]);
  assert.deepEqual([shot.gone, /手机存储已满/.test(shot.problem)], [false, true]);
  photo.arrayBuffer = async () => { throw new DOMException("", "NotReadableError"); };
  device.capture = capture;
  const again = keepShots(device, [shot]);
  assert.equal(shot.gone, false); // nor is it said to be gone while it is tried again
  await again;
  const [{ sha256 }] = await device.photos();
  assert.deepEqual([shot.kept.length, await (await device.bytes(sha256)).text()], [1, "held"]);
  device.close();
});

test("a photo that the server may refuse is named at once, until it has taken one like it", async () => {
  const device = await a_device(), about = { type: "finding", id: device.newId() };
  const heic = (text) => new Blob([new Uint8Array([0, 0, 0, 24]), "ftypheic", text]);
  const [first, other, jpeg] = await Promise.all([heic("1"), new Blob(["%PDF-1.7"]), new Blob([new Uint8Array([255, 216, 255, 224])])]
    .map((photo) => device.capture(photo, { about, role: "scene", scope: SCOPE })));
  assert.match(await doubtOf(device, first), /HEIC/);
  assert.match(await doubtOf(device, other), /不是/);
  assert.equal(await doubtOf(device, jpeg), "");
  const { fields } = await device.get("evidence", first);
  await device.parts.store.write((t) => device.parts.rows.take(t, [{ op: "put", type: "evidence", id: device.newId(), version: 1, scope: SCOPE,
    fields: { ...fields, media: { state: "verified" } } }]));
  assert.equal(await doubtOf(device, first), "");
  device.close();
});
