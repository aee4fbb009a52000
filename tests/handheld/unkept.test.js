// Shots that did not get to the disk: those still in memory may be kept later, those whose file is gone are taken again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_device, SCOPE } from "./devices.js";

globalThis.localStorage = { getItem: () => null };
globalThis.addEventListener = globalThis.removeEventListener = () => {};
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
  await keepShots(device, [shot]);
  const [{ sha256 }] = await device.photos();
  assert.deepEqual([shot.kept.length, await (await device.bytes(sha256)).text()], [1, "held"]);
  device.close();
});
