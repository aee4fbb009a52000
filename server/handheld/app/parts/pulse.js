// When the app asks for a sync: at its start, when something was made, when the network or the person comes back, and
// now and then while it is looked at.

import { useAsked, useDevice, useHealth } from "./device.js";
import { useEffect, useRef } from "./html.js";

const EVERY_MS = 120_000, CHECKED_MS = 15_000;

export function usePulse() {
  const device = useDevice(), health = useHealth();
  const waits = health ? health.unsent + health.unsent_photos : 0;
  const checked = useAsked(async (asked) => (await asked.photos("stored")).length > 0 && !await asked.everythingDelivered(), ["checked"])
    ?? false; // the server looks at them; its word and the receipt come soon
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
    const timer = setInterval(ask, checked ? CHECKED_MS : EVERY_MS);
    addEventListener("online", ask);
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearInterval(timer);
      removeEventListener("online", ask);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [device, checked]);
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
