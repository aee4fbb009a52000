// The office of a test: people, invitations and devices on the server that pytest started, and a network that fails.

import { Client, Patience } from "../../server/handheld/app/device/client.js";
import { enrolDevice, openDevice } from "../../server/handheld/app/device/device.js";
import { a_finding, RULES, SCOPE } from "./devices.js";

export const URL_OF_SERVER = process.env.MENQIAN_URL;
export const NEEDS_SERVER = { skip: URL_OF_SERVER ? false : "run by tests/handheld/test_node.py, which starts a server" };
const PASSWORD = process.env.MENQIAN_PASSWORD;
const REFERENCE = { record_types: RULES };
const HURRIED = new Patience({ tries: 4, wait: async () => undefined });

let serial = 0;
let root;

/** A client that speaks for somebody with a login. */
export async function logged_in(username) {
  const client = new Client(URL_OF_SERVER);
  const session = await client.post("/sessions", { username, password: PASSWORD });
  client.token = session.token;
  client.user = session.user;
  return client;
}

export async function admin() {
  root ??= await logged_in("root");
  return root;
}

/** A new person with a login. */
export async function person(role, scopes = [SCOPE]) {
  const username = `${role}-${process.pid}-${++serial}`;
  await (await admin()).post("/users", { username, name: "测试员", roles: [role], scopes, password: PASSWORD });
  return logged_in(username);
}

let inspector;

export async function invite(username) {
  return (await (await admin()).post("/devices/invitations", { username })).code;
}

/** A new device, of the one inspector unless somebody else is named. */
export async function enrolled({ owner, fetch, database = `node-${process.pid}-${++serial}`, ...options } = {}) {
  inspector ??= await person("inspector");
  const { username } = (owner ?? inspector).user;
  return enrolDevice({ base: URL_OF_SERVER, code: await invite(username), name: "测试机", database,
    reference: REFERENCE, patience: HURRIED, fetch, ...options });
}

/** Another tab, or the next start, of a device. */
export function reopened(database, options = {}) {
  return openDevice({ base: URL_OF_SERVER, database, reference: REFERENCE, patience: HURRIED, ...options });
}

/** Sync everybody until nobody has news. */
export async function quiet(...devices) {
  for (let round = 0; round < 3; round += 1) for (const device of devices) await device.sync();
}

/** Sync until it is so, or ten seconds have passed. */
export async function until(device, so) {
  for (let round = 0; round < 40 && !await so(); round += 1) {
    await device.sync();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return so();
}

export function report(device, fields = {}) {
  return device.create("finding", a_finding(fields), SCOPE);
}

/** A record as the server has it. */
export async function on_server(type, id) {
  return (await admin()).get(`/records/${type}/${id}`);
}

/** Hands at the server's console: `back_up` or `restore`. */
export async function console_does(what, name) {
  const answer = await fetch(process.env.MENQIAN_CONSOLE, { method: "POST", body: JSON.stringify({ what, name }) });
  if (!answer.ok) throw new Error(`the console could not ${what}`);
}

/** A JPEG unlike any other. */
export async function a_photo() {
  return (await fetch(process.env.MENQIAN_CONSOLE)).blob();
}

/** A network that fails as it is told to. `faults` are taken one a request: lose_request, lose_answer, twice, null. */
export function network(draw = () => null) {
  const way = { draw, offline: false, faults: [] };
  way.fetch = async (address, options) => {
    if (way.offline) throw new TypeError("no network");
    const fault = way.draw(address, options);
    if (fault) way.faults.push(fault);
    if (fault === "lose_request") throw new TypeError("the request was lost");
    const answer = await fetch(address, options);
    if (!fault) return answer;
    await answer.arrayBuffer();
    if (fault === "twice") return fetch(address, options);
    throw new TypeError("the answer was lost");
  };
  return way;
}

/** The same row of dice for the same seed (mulberry32). */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is stored under a database's name, copied to another: a device's clone, key and all. */
export async function copied(from, to) {
  const { Store } = await import("../../server/handheld/app/device/store.js");
  const [old, fresh] = [await Store.open(from), await Store.open(to)], names = [...(await old.database()).objectStoreNames];
  const content = await old.read((t) => Promise.all(names.map(async (name) => {
    const store = t.raw.objectStore(name);
    return { name, keys: await store.getAllKeys(), values: await store.getAll(), keyPath: store.keyPath };
  })));
  await fresh.write((t) => content.forEach(({ name, keys, values, keyPath }) => keys.forEach((key, at) =>
    t.put(name, values[at], keyPath === null ? key : undefined)))); // at once: from then on it is another database
  old.close();
  fresh.close();
}

