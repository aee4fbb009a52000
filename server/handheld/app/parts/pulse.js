// When the app asks for a sync: at its start, when something was made, when the network or the person comes back, and
// now and then while it is looked at.
//
// While the server looks at photos its word and the receipt come soon: then it is asked often, but each time a little less so.

import { useAsked, useDevice, useHealth } from "./device.js";
import { useEffect, useRef } from "./html.js";

const EVERY_MS = 120_000, CHECKED_MS = 15_000;

export function usePulse() {
  const device = useDevice(), health = useHealth();
  const waits = health ? health.unsent + health.unsent_photos : 0;
  const looked = useAsked(lookedAt, ["looked at"]) ?? 0;
  const before = useRef(0);
  useEffect(() => {
    if (waits > before.current) device.syncSoon();
    before.current = waits;
  }, [device, waits]);
  useEffect(() => {
    const ask = () => {
      if (document.visibilityState === "visible") device.syncSoon();
    };
    ask();
    addEventListener("online", ask);
    document.addEventListener("visibilitychange", ask);
    return () => {
      removeEventListener("online", ask);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [device]);
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const wait = (/** @type {number} */ ms) => {
      timer = setTimeout(() => {
        if (document.visibilityState === "visible") device.syncSoon({ background: true }); // where one comes by itself, it has its reason
        wait(Math.min(EVERY_MS, 2 * ms));
      }, ms);
    };
    wait(looked ? CHECKED_MS : EVERY_MS);
    return () => clearTimeout(timer);
  }, [device, looked]);
}

/** How many photos the server looks at: not those whose record it holds back, which may wait for days.
 * @param {import("../device/types.d.ts").Device} device */
export async function lookedAt(device) {
  const stored = await device.photos("stored");
  if (!stored.length || await device.everythingDelivered()) return 0;
  const held = new Set((await device.outbox()).filter(({ state }) => state === "held" || state === "quarantined").map(({ body }) => body.set?.sha256));
  return stored.filter(({ sha256 }) => !held.has(sha256)).length;
}

/** Whether the app is open in another tab, too; asked of the browser's locks, each tab holding one. */
export function holdTab() {
  const name = `menqian-tab-${crypto.randomUUID()}`;
  navigator.locks?.request(name, () => new Promise(() => {})).catch((error) => console.error(error));
}

/** How many tabs have the app open, as far as the browser tells. @returns {Promise<number>} */
export async function tabs() {
  const { held } = await navigator.locks?.query() ?? {};
  return (held ?? []).filter((lock) => lock.name?.startsWith("menqian-tab-")).length || 1;
}
