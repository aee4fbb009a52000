// A phone in node against a real server: its parts over one IndexedDB in memory, which outlives them as a browser's does.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import "fake-indexeddb/auto";
import { Client, Patience } from "../../../server/handheld/app/device/client.js";
import { Events } from "../../../server/handheld/app/device/events.js";
import { Files } from "../../../server/handheld/app/device/files.js";
import { enrol, Identity, newKey } from "../../../server/handheld/app/device/identity.js";
import { Outbox } from "../../../server/handheld/app/device/outbox.js";
import { Store } from "../../../server/handheld/app/device/store.js";
import { Uploads } from "../../../server/handheld/app/device/uploads.js";
import { randomBytes } from "../../../server/handheld/app/device/values.js";

/** What the test that started this process made ready: addresses, invitation codes, photographs. */
export const GIVEN = JSON.parse(process.env.MENQIAN_LINES ?? "{}");
const HURRIED = new Patience({ tries: 6, wait: () => Promise.resolve() });
let serial = 0;

/** An enrolled phone; `url` is where it finds the server. */
export async function a_phone({ url = GIVEN.url, ...parts } = {}) {
  const database = `phone-${++serial}`, code = GIVEN.codes.shift();
  const store = await Store.open(database), client = new Client(GIVEN.url), keys = await newKey();
  const enrolment = await enrol(client, code, "测试机", keys);
  await store.write((t) => {
    new Identity(store).take(t, enrolment, keys.privateKey);
    t.set("epoch", enrolment.hello.epoch);
  });
  store.close();
  return opened(database, { url, ...parts });
}

/** The same phone after its browser was closed. */
export async function opened(database, { url = GIVEN.url, fetch = globalThis.fetch, patience = HURRIED } = {}) {
  const store = await Store.open(database), clock = Date.now;
  const client = new Client(url, { token: await store.get("token"), fetch, patience });
  const files = new Files(store, new Events(clock));
  return { database, store, client, files, clock, identity: new Identity(store), outbox: new Outbox(clock, randomBytes),
    uploads: new Uploads(files, client) };
}

/** Photographs from the test's folder, kept by the phone; gives their digests. */
export async function photographed(phone, ...numbers) {
  const digests = [];
  for (const number of numbers) {
    const content = readFileSync(GIVEN.photos[number]);
    digests.push(await kept(phone, content));
  }
  return digests;
}

/** Keep these bytes as a photo that waits, under another digest if a test says so. */
export async function kept(phone, content, digest = createHash("sha256").update(content).digest("hex")) {
  await phone.store.write((t) => phone.files.add(t, digest, new Blob([content]), "image/jpeg", Date.now()));
  return digest;
}

/** The states of the phone's photos, by digest. */
export async function states(phone) {
  return Object.fromEntries((await phone.files.all()).map((file) => [file.sha256, [file.state, file.problem]]));
}

/** A line that counts the bytes of PATCH bodies, and does to each request what `befalls` says before it goes on. */
export function counting(befalls = async () => undefined) {
  const sent = [];
  const fetch = async (url, options) => {
    const answer = await befalls({ url, options, nth: sent.length });
    if (answer) return answer;
    if (options.method === "PATCH") sent.push(options.body.byteLength ?? options.body.size);
    return globalThis.fetch(url, options);
  };
  return { sent, fetch };
}
