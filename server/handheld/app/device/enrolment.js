// Becoming a device: by an invitation code into an empty database, or anew, as another device of the same person. Serves
// `device`; the caller has the turn.

import { Problem, Unreachable } from "./client.js";
import { enrol, fingerprintOf, newKey } from "./identity.js";
import { TO_DO } from "./pictures.js";

/** @typedef {{ store: import("./store.js").Store, client: import("./client.js").Client, identity: import("./identity.js").Identity,
 *   outbox: import("./outbox.js").Outbox, rows: import("./rows.js").Rows, exchange: import("./exchange.js").Exchange }} Parts */

const LEAVING_MS = 10_000;

/** The database holds a device already: its work must not be taken for another's. */
export class AlreadyEnrolled extends Error {
  name = "AlreadyEnrolled";
}

/** This address is not https: a browser gives no keys here, and no app that works without a network. */
export class NotSecure extends Error {
  name = "NotSecure";
}

/** @param {Parts} parts @param {string} code @param {string} name how the office will find it in its list of devices */
export async function enrolFirst(parts, code, name) {
  if (await parts.store.get("device_id") !== null) throw new AlreadyEnrolled("this browser already holds a device");
  await parts.store.put("name", name);
  await become(parts, code, (t, enrolment, key) => parts.identity.take(t, enrolment, key));
}

/** What was not settled is numbered from 1 and delivered again, everything to a restored server.
 * @param {Parts} parts @param {string} code @param {Record<string, any>} [kept] */
export async function enrolAgain(parts, code, kept = {}) {
  const { identity, outbox, rows } = parts;
  await become(parts, code, async (t, enrolment, key) => {
    const epoch = await t.setting("epoch");
    const restored = await t.setting("asked") !== null || (epoch !== null && epoch !== enrolment.hello.epoch);
    identity.take(t, enrolment, key);
    await outbox.numberAnew(t, enrolment.device_id, restored);
    if (restored) t.set("new_epoch_after", 0);
    t.set("cursor", null);
    t.set("failure", null); // what was wrong with the device before
    await rows.beginAgain(t);
    t.set("new_enrolment", true);
    for (const name in kept) t.set(`kept ${name}`, kept[name]);
  });
}

/** Empty this browser for somebody else. False, and nothing is done, as long as something is unfinished or the server has not signed
 * for all that was made, in other tabs too. @param {import("./device.js").Device} device */
export function handOver(device) {
  const { store, tabs, rows, client } = device.parts;
  return tabs.turn(async () => {
    const made = await store.read((t) => t.count("mutation"));
    if (made && !await device.everythingDelivered()) return false;
    const empty = await store.write(async (t) => {
      if (await t.count("mutation") !== made || await t.count("file", "waiting", "state") || await isBegun(t, rows)) return false;
      store.giveUp(t);
      return true;
    });
    if (!empty) return false;
    device.close(); // the other tabs hear of it
    await leave(client);
    return true;
  });
}

/** Tell the office that this device is no more; without a network it stays in the office's list until somebody ends it there.
 * @param {import("./client.js").Client} client */
async function leave(client) {
  try {
    await client.request("DELETE", "/devices/current", { tries: 1, timeoutMs: LEAVING_MS });
  } catch (failure) {
    if (!(failure instanceof Problem) && !(failure instanceof Unreachable)) throw failure;
  }
}

/** Is there a draft, work on a task that is still to be done, or a walk that is in no record yet?
 * @param {import("./store.js").Transaction} t @param {import("./rows.js").Rows} rows */
async function isBegun(t, rows) {
  const user = await t.setting("user"), walked = (await t.setting("kept duty"))?.points ?? [];
  const tasks = (await rows.ofType(t, "task")).filter(({ fields }) => fields.assignee === user?.id && TO_DO.has(fields.status ?? "open"));
  const work = await Promise.all(tasks.map(({ id }) => t.setting(`kept task-${id}`, {})));
  return await t.count("draft") > 0 || walked.length > 0 || work.some((each) => Object.values(each).some(Boolean));
}

/** What this browser's person made must not be delivered as another's, so the code must be for him. The keys are kept before they are
 * shown: an answer that was lost is asked for again by the same.
 * @param {Parts} parts @param {string} code
 * @param {(t: import("./store.js").Transaction, enrolment: any, key: CryptoKey) => any} take */
async function become({ store, client, exchange }, code, take) {
  if (!globalThis.crypto?.subtle) throw new NotSecure("the page must come by https");
  await globalThis.navigator?.storage?.persist?.(); // so that a browser short of room does not clear the outbox away
  const begun = await store.get("enrolling"), keys = begun?.code === code ? begun.keys : await newKey();
  await store.put("enrolling", { code, keys });
  const enrolment = await enrol(client, code, await store.get("name"), keys, (await store.get("user"))?.id);
  const fingerprint = await fingerprintOf(keys.publicKey);
  await store.write((t) => {
    t.set("fingerprint", fingerprint);
    t.set("enrolling", null);
    return take(t, enrolment, keys.privateKey);
  });
  client.token = enrolment.token;
  try {
    await exchange.greet();
  } catch (failure) { // it is enrolled, whatever comes of this; the first sync says hello again
    if (!(failure instanceof Problem) && !(failure instanceof Unreachable)) throw failure;
  }
}
