// What goes on behind a screen: the lock's clock, cameras that are opened, what a code is read for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_phone, rest, shown, until } from "./screen.js";

const { Lock } = await import("../../server/handheld/app/parts/lock.js");
const { sealed } = await import("../../server/handheld/app/parts/pin.js");
const { Camera } = await import("../../server/handheld/app/parts/camera.js");
const { MapView } = await import("../../server/handheld/app/parts/map.js");
const { Scan } = await import("../../server/handheld/app/parts/scan.js");
const { html, useState } = await import("../../server/handheld/app/parts/html.js");

test("the screen locks though the device goes on writing: only a person's touch puts it off", async () => {
  const device = await a_phone(), { now } = Date, { setInterval } = globalThis;
  let ahead = 0, look = () => {};
  await device.keep("pin", await sealed("2468"));
  globalThis.setInterval = (work, ms) => (ms === 5000 ? (look = work, 0) : setInterval(work, ms));
  Date.now = () => now() + ahead;
  try {
    const page = await shown(device, () => html`<${Lock}><p>inside</p><//>`, {});
    await page.tap("2");
    for (const digit of "468") await page.tap(digit);
    await page.tap("打开");
    await until(() => !page.find("dialog"));
    for (let minute = 0; minute < 6; minute += 1) {
      ahead += 60_000;
      await device.keep("last", minute); // as a sync does, or the next point of a track
      await rest();
    }
    look();
    await page.see("h1", "已锁定");
  } finally {
    Object.assign(globalThis, { setInterval });
    Date.now = now;
  }
});

/** A camera that says when it is let go; `play` is what its view does. */
function a_camera(play) {
  const live = new Set(), mediaDevices = { getUserMedia: async () => {
    const track = { stop: () => live.delete(track) };
    live.add(track);
    return { getTracks: () => [track], getVideoTracks: () => [track] };
  } };
  Object.assign(navigator, { mediaDevices });
  Object.assign(globalThis, { ImageCapture: class {} });
  Object.getPrototypeOf(document.body).play = play;
  return live;
}

test("a camera whose view was left while it opened is let go", async () => {
  let asked = 0;
  const live = a_camera(async () => {
    asked += 1;
    throw new DOMException("removed from the document", "AbortError");
  });
  const device = await a_phone(), page = await shown(device, Camera, { about: { type: "finding", id: "f" }, scope: "3204", onClose() {} });
  await until(() => asked);
  await page.see("label", "用手机相机拍");
  assert.equal(live.size, 0);
});

test("a code is read for what its screen knows by then", async () => {
  const live = a_camera(async () => {}), read = [];
  let code = null, learn = () => {};
  globalThis.HTMLVideoElement = class {};
  globalThis.BarcodeDetector = class {
    static getSupportedFormats = async () => ["qr_code"];
    detect = async () => (code ? [{ rawValue: code }] : []);
  };
  Object.getPrototypeOf(document.body).readyState = 4;
  const Owner = () => {
    const [known, setKnown] = useState("nothing");
    learn = setKnown;
    return html`<${Scan} title="t" onRead=${(text) => read.push(`${known} ${text}`)} onClose=${() => {}} />`;
  };
  await shown(await a_phone(), Owner, {});
  await until(() => live.size);
  learn("zones");
  await rest();
  code = "CZ-0001";
  await until(() => read.length);
  assert.deepEqual([read, live.size], [["zones CZ-0001"], 0]);
});

test("a slow camera takes one picture, however often its shutter is pressed", async () => {
  const asked = [];
  a_camera(async () => {});
  ImageCapture.prototype.takePhoto = () => new Promise((resolve) => { asked.push(resolve); });
  const device = await a_phone(), page = await shown(device, Camera, { about: { type: "finding", id: "f" }, scope: "3204", onClose() {} });
  const shutter = await page.see("button", "按快门"), press = shutter.does("click");
  await rest();
  if (!shutter.disabled) await Promise.race([shutter.does("click"), rest()]);
  asked.forEach((give, n) => give(new Blob([new Uint8Array([255, 216, 255, 224, n])])));
  await press;
  await page.see("div", "已拍 1 张");
  await page.see("button", "按快门");
  assert.deepEqual([asked.length, (await device.photos()).length], [1, 1]);
});

test("a picture that was looked through for a code lies in memory no longer", async () => {
  let closed = 0;
  a_camera(async () => {});
  globalThis.createImageBitmap = async () => ({ close: () => { closed += 1; } });
  globalThis.BarcodeDetector = class {
    static getSupportedFormats = async () => ["qr_code"];
    detect = async () => [];
  };
  const page = await shown(await a_phone(), Scan, { title: "t", onRead() {}, onClose() {} });
  await (await page.input("用照片识别")).does("change", { files: [new Blob(["x"])] });
  await page.see("div", "没有读到二维码");
  delete globalThis.createImageBitmap;
  assert.equal(closed, 1);
});

/** Leaflet as far as nobody looks: whatever it is asked, it gives more of itself. */
function a_leaflet(told) {
  const mark = { on: () => mark, addTo: () => mark, bindTooltip: (words) => (told.push(words.textContent), mark) };
  const known = { [Symbol.toPrimitive]: () => 1, then: undefined, circleMarker: () => mark };
  const any = () => new Proxy(() => {}, { get: (_, name) => (name in known ? known[name] : any()), apply: any });
  return any();
}

test("the map says what a finding has come to by now", async () => {
  const told = [], place = { id: "f", lon: 119.95, lat: 31.7, kind: "own" };
  let become = () => {};
  globalThis.L = a_leaflet(told);
  const Owner = () => {
    const [label, setLabel] = useState("待受理");
    become = setLabel;
    return html`<${MapView} zones=${[]} marks=${[{ ...place, label }]} />`;
  };
  await shown(await a_phone(), Owner, {});
  await until(() => told.length);
  become("已立案");
  await until(() => told.at(-1) === "已立案");
  delete globalThis.L;
});

test("a map that does not open says why in words", async () => {
  document.head.append = (sheet) => sheet.onerror(new Event("error"));
  const page = await shown(await a_phone(), MapView, { zones: [] });
  const { textContent } = await page.see("div", "地图没有打开");
  delete document.head.append;
  assert.doesNotMatch(textContent, /\[object/);
});
