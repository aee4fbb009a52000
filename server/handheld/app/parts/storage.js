// How much room this phone has left for records and photos, told before it is full.

import { useDevice } from "./device.js";
import { useEffect, useState } from "./html.js";
import { tried } from "./tried.js";

const SCARCE_BYTES = 300e6, SCARCE_SHARE = 0.85, LOOK_EVERY_MS = 60_000;

/** @typedef {{used: number, room: number, scarce: boolean, persistent: boolean}} Room */

/** @returns {Promise<Room | null>} null where the browser does not tell */
export async function room() {
  if (!navigator.storage?.estimate) return null;
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  const persistent = await navigator.storage.persisted?.() ?? false;
  const left = Math.max(0, quota - usage);
  return { used: usage, room: left, scarce: left < SCARCE_BYTES || usage > quota * SCARCE_SHARE, persistent };
}

/** Looked at again with each change, at most once a minute. */
export function useRoom() {
  const device = useDevice();
  const [now, setNow] = useState(/** @type {Room | null} */ (null));
  useEffect(() => {
    let over = false, last = -Infinity;
    const look = () => {
      if (performance.now() - last < LOOK_EVERY_MS) return; // the clock may be put back
      last = performance.now();
      tried(async () => {
        const found = await room();
        if (!over) setNow(found);
      });
    };
    look();
    const stop = device.onChange(look);
    return () => {
      over = true;
      stop();
    };
  }, [device]);
  return now;
}
