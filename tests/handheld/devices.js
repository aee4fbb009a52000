// Devices for tests in node: IndexedDB in memory, no window.

import "fake-indexeddb/auto";
import { openDevice } from "../../server/handheld/app/device/device.js";
import { Store } from "../../server/handheld/app/device/store.js";

export const SCOPE = "320412100";
export const RULES = {
  finding: { tags: "set", status: "server", position: "bound" }, inspection: { answers: "map", officers: "set" },
  evidence: { sha256: "once", media: "server" }, track: { points: "append" },
};

let serial = 0;

/** A device that was never enrolled anywhere but has an id; for what needs no server. */
export async function a_device({ database = `device-${++serial}`, enrolled = false, ...options } = {}) {
  if (!enrolled) {
    const store = await Store.open(database);
    await store.put("device_id", "device-1");
    store.close();
  }
  return openDevice({ database, reference: { record_types: RULES }, base: "http://127.0.0.1:9", ...options });
}

export function a_finding(fields = {}) {
  return { class_scheme: "GB/T 30428.2-2013:event", class_code: "0504", text: "门前堆物", address: "武宜路2号",
    observed_at: "2026-11-22T01:00:00.000Z", source: "patrol", ...fields };
}
