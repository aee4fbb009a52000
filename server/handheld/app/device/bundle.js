// Everything undelivered in one file, for a phone that dies (`menqian outbox import`). Serves `device`.
//
// Nothing here changes by it: what waits goes on waiting, and what both bring is a replay to the server. Photos are read
// one by one, for digest and checksum, and then named as they lie in the store: the file is never whole in memory.

import { STOPPED } from "./files.js";
import { ENVELOPE_BYTES } from "./outbox.js";
import { hex, sha256, stamp, utf8 } from "./values.js";
import { zipOf } from "./zip.js";

/** @import { Waiting } from "./outbox.js" */

export const FORMAT = "menqian-outbox/1";
/** What the server did not take from here it may take from the file, and else says so to the one who brings it. */
const UNDELIVERED = ["waiting", ...STOPPED];

/**
 * The file of one device, and its `outbox.json`.
 * @param {{
 *   store: import("./store.js").Store, outbox: import("./outbox.js").Outbox, files: import("./files.js").Files,
 *   identity: { sign(content: Uint8Array<ArrayBuffer>): Promise<string | null> }, clock: () => number,
 * }} parts
 * @returns {Promise<Blob>}
 */
export async function bundleOf({ store, outbox, files, identity, clock }) {
  const { batches, device_id, user, epoch, newest } = await store.read(async (t) => ({
    batches: await batchesOf(t, outbox), device_id: await t.setting("device_id"), user: await t.setting("user"),
    epoch: await t.setting("epoch"), newest: await outbox.newest(t),
  }));
  const pushes = [], bodies = [];
  for (const batch of batches) {
    const body = utf8(`{"mutations":[${batch.map((each) => each.wire).join(",")}]}`);
    bodies.push(body);
    pushes.push({ first: batch[0].n, last: batch[batch.length - 1].n, sha256: hex(await sha256(body)),
      signature: await identity.sign(body) });
  }
  /** @type {{ sha256: string, bytes: number, media_type: string }[]} */
  const photos = [];
  const contents = [], lacking = [];
  for (const file of (await Promise.all(UNDELIVERED.map((state) => files.all(state)))).flat()) {
    const content = await readable(files, file.sha256);
    if (content) {
      photos.push({ sha256: file.sha256, bytes: file.bytes, media_type: file.media_type });
      contents.push(content);
    } else {
      lacking.push(file.sha256);
    }
  }
  const said = { format: FORMAT, device_id, user: user && { id: user.id, username: user.username, name: user.name },
    made_at: stamp(clock()), epoch, numbers: { first: pushes[0]?.first ?? null, newest }, pushes, photos, lacking };
  const manifest = utf8(JSON.stringify(said)), seal = await identity.sign(manifest);
  return zipOf([
    { name: "outbox.json", content: new Blob([manifest]) },
    ...(seal ? [{ name: "outbox.sig", content: new Blob([seal]) }] : []),
    ...bodies.map((body, at) => ({ name: `pushes/${String(at + 1).padStart(6, "0")}.json`, content: new Blob([body]) })),
    ...contents.map((content, at) => ({ name: `photos/${photos[at].sha256}`, content })),
  ], clock());
}

/** The bytes, null where they are not here whole and unchanged, or cannot be read.
 * @param {import("./files.js").Files} files @param {string} digest */
async function readable(files, digest) {
  try {
    return await files.sound(digest) ? await files.blob(digest) : null;
  } catch (failure) {
    if (failure instanceof DOMException) return null;
    throw failure;
  }
}

/**
 * All that waits, in batches that a push takes.
 * @param {import("./store.js").Transaction} t
 * @param {import("./outbox.js").Outbox} outbox
 */
async function batchesOf(t, outbox) {
  const count = await outbox.limit(t, "mutations_per_push"), size = await outbox.limit(t, "push_bytes") - ENVELOPE_BYTES;
  /** @type {Waiting[][]} */
  const batches = [];
  for (let after = 0; ;) {
    const batch = await outbox.batch(t, count, size, after);
    if (!batch.length) return batches;
    batches.push(batch);
    after = batch[batch.length - 1].n;
  }
}
