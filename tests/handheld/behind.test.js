// What goes on behind a screen: the lock's clock, cameras that are opened, what a code is read for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_phone, rest, shown, until } from "./screen.js";

const { Lock } = await import("../../server/handheld/app/parts/lock.js");
const { sealed } = await import("../../server/handheld/app/parts/pin.js");
const { html } = await import("../../server/handheld/app/parts/html.js");

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
