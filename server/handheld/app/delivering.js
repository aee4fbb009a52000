// A whole sync in the service worker, when the browser says that there is a network and no page is there to do it.

import { openDevice } from "./device/device.js";

/**
 * Throws when it is worth trying again: the browser does, a few times.
 * @param {any} worker the service worker's scope
 * @param {() => Promise<any>} reference
 */
export async function deliver(worker, reference) {
  const pages = await worker.clients.matchAll({ type: "window" });
  const seen = pages.find((/** @type {any} */ page) => page.visibilityState === "visible");
  if (seen) {
    seen.postMessage({ kind: "sync" }); // its person sees what is done, and may have paused it
    return;
  }
  /** @type {any} */
  const opened = await openDevice({ base: worker.location.origin, reference: await reference() });
  const device = /** @type {import("./device/types.d.ts").Device | null} */ (opened);
  if (!device) return;
  try {
    if (device.state === "enrolled" && !device.syncing.paused) await device.sync();
  } catch (failure) {
    const { name, action } = /** @type {any} */ (failure);
    // what only a person can mend the device has noted, and tells when it is opened
    if (name !== "Problem" || action === "retry") throw failure;
  } finally {
    device.close();
  }
}
