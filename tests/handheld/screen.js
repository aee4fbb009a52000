// Screens without a browser: a page just large enough for Preact, and an enrolled device that never had a network.

import { execFileSync } from "node:child_process";
import { afterEach } from "node:test";
import { fileURLToPath } from "node:url";

import { SCOPE } from "./devices.js";
import { openDevice } from "../../server/handheld/app/device/device.js";
import { Store } from "../../server/handheld/app/device/store.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MADE = "import json; from server.handheld.reference import reference; print(json.dumps(reference()))";
const ME = { id: "me", name: "张三", username: "zhang", roles: ["inspector"], scopes: [SCOPE] };

class Node extends EventTarget {
  constructor(nodeType, name, data = "") {
    super();
    Object.assign(this, { nodeType, localName: name, nodeName: name, data, childNodes: [], parentNode: null, attributes: [], isConnected: true, disabled: false, value: "",
      style: { setProperty() {} }, dataset: {}, heard: {}, ownerDocument: globalThis.document });
  }
  get firstChild() { return this.childNodes[0] ?? null; }
  get nextSibling() { return this.parentNode?.childNodes[this.parentNode.childNodes.indexOf(this) + 1] ?? null; }
  get textContent() { return this.nodeType === 3 ? this.data : this.childNodes.map((one) => one.textContent).join(" ").replace(/\s+/g, " ").trim(); }
  insertBefore(node, before) {
    node.parentNode?.removeChild(node);
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node);
    node.parentNode = this;
    return node;
  }
  appendChild(node) { return this.insertBefore(node, null); }
  removeChild(node) {
    this.childNodes = this.childNodes.filter((one) => one !== node);
    node.parentNode = null;
    return node;
  }
  remove() { this.parentNode?.removeChild(this); }
  contains(node) { return node === this || Boolean(node?.parentNode && this.contains(node.parentNode)); }
  setAttribute(name, value) {
    this.removeAttribute(name);
    this.attributes.push({ name, value: String(value) });
  }
  removeAttribute(name) { this.attributes = this.attributes.filter((one) => one.name !== name); }
  getAttribute(name) { return this.attributes.find((one) => one.name === name)?.value ?? null; }
  addEventListener(name, listener, options) {
    this.heard[name.toLowerCase()] = [...this.heard[name.toLowerCase()] ?? [], listener];
    super.addEventListener(name, listener, options);
  }
  showModal() {}
  close() {}
  focus() {}
  querySelector() { return null; }
  append(node) { this.appendChild(node); }
  set textContent(words) { this.childNodes = [new Node(3, "#text", words)]; }
  getBoundingClientRect() { return { top: 0, left: 0, width: 300, height: 300 }; }

  /** All of that name below, whose text has those words; the first of them. */
  all(name, words = "") {
    return [...this.localName === name && this.textContent.includes(words) ? [this] : [], ...this.childNodes.flatMap((one) => one.all(name, words))];
  }
  find(name, words) { return this.all(name, words)[0]; }
  /** It, as soon as it stands there and may be used. */
  see(name, words) {
    return until(() => this.all(name, words).find((one) => !one.disabled), `${name} ${words}`);
  }
  /** The input of a field or an option, by its label's words. */
  input(words) {
    const within = (/** @type {any} */ at) => ["input", "textarea"].map((name) => at?.find(name)).find(Boolean);
    return until(() => ["label", "span"].flatMap((name) => this.all(name, words)).map((label) => within(label) ?? within(label.parentNode)).find(Boolean), words);
  }
  /** Do to it what a person does, and let the screen follow. */
  async does(event, target = {}) {
    if (this.disabled) throw new Error(`nobody can use the disabled ${this.textContent}`);
    Object.assign(this, target);
    const told = { type: event, target: this, currentTarget: this, preventDefault() {}, stopPropagation() {} };
    const done = Promise.all((this.heard[event] ?? []).map((listener) => listener.call(this, told)));
    await rest();
    return done;
  }
  async tap(words) { return (await this.see("button", words)).does("click"); }
  async choose(words) { return (await this.input(words)).does("change"); }
  async write(words, value) { return (await this.input(words)).does("input", { value }); }
}

globalThis.document = Object.assign(new EventTarget(), { title: "", visibilityState: "visible", getElementById: () => null,
  createElementNS: (_, name) => new Node(1, name), createElement: (/** @type {string} */ name) => new Node(1, name), createTextNode: (data) => new Node(3, "#text", data) });
Object.assign(document, { documentElement: new Node(1, "html"), head: new Node(1, "head"), body: new Node(1, "body") });
const page = new EventTarget();
Object.assign(globalThis, { window: globalThis, location: new URL("http://127.0.0.1:9/handheld/#/"), HashChangeEvent: Event,
  HTMLInputElement: class {}, HTMLButtonElement: class {}, requestAnimationFrame: (work) => setTimeout(work, 1), cancelAnimationFrame: clearTimeout,
  getComputedStyle: () => ({ fontSize: "16px", getPropertyValue: () => "" }),
  history: { length: 1, replaceState: (_, __, hash) => { location.hash = hash; } } });
for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) globalThis[name] = page[name].bind(page);
for (const [name, value] of Object.entries({ localStorage: { getItem: () => null, setItem() {} }, navigator: { onLine: true, userAgent: "node" } })) {
  Object.defineProperty(globalThis, name, { configurable: true, value });
}

const { html, render } = await import("../../server/handheld/app/parts/html.js");
const { DeviceContext } = await import("../../server/handheld/app/parts/device.js");
const { Toast } = await import("../../server/handheld/app/parts/page.js");
const { loadReference } = await import("../../server/handheld/app/parts/reference.js");
const told = execFileSync(process.env.PYTHON ?? `${ROOT}.venv/bin/python`, ["-c", MADE], { cwd: ROOT, env: { ...process.env, PYTHONPATH: ROOT }, maxBuffer: 2 ** 26 });
globalThis.fetch = async () => new Response(told);
export const REFERENCE = await loadReference();
globalThis.fetch = async () => { throw new TypeError("no network"); };

/** Let effects and the store come to rest. */
export const rest = (ms = 80) => new Promise((done) => setTimeout(done, ms));

/** What is asked, as soon as it is there. @template T @param {() => T | Promise<T>} ask @param {string} [what] */
export async function until(ask, what = String(ask)) {
  for (let times = 0; times < 100; times += 1) {
    const found = await ask();
    if (found) return found;
    await rest(50);
  }
  throw new Error(`it never came: ${what}`);
}

let serial = 0;

/** An enrolled device with these rows of the server. */
export async function a_phone(...rows) {
  const database = `screen-${++serial}`, store = await Store.open(database);
  await store.write((t) => Object.entries({ device_id: "device-1", token: "x", user: ME, scopes: [SCOPE] }).forEach(([name, value]) => void t.set(name, value)));
  store.close();
  const device = await opened(database);
  await pulled(device, ...rows);
  return device;
}

/** @param {string} database */
const opened = (database) => openDevice({ database, reference: REFERENCE, base: "http://127.0.0.1:9",
  patience: { tries: 1, delayMs: () => null, isShortFor: () => false, wait: async () => {} } });

/** The next start of a device, with what is on its disk. */
export const reopened = (device) => opened(device.parts.store.name);

/** @param {string} name */
export const screen = async (name) => (await import(`../../server/handheld/app/screens/${name}.js`)).default;

/** Rows come by a pull. */
export async function pulled(device, ...rows) {
  await device.parts.store.write((t) => device.parts.rows.take(t, rows));
  await rest();
}

/** A row as a pull brings it. */
export function row(type, id, fields, version = 1) {
  return { type, id, op: "put", version, scope: SCOPE, fields };
}

/** A shop's frontage. */
export function a_zone(id, name = "某店") {
  return row("zone", id, { name, road: "武宜路", zone_version: 1, party: { name },
    outline: { type: "Polygon", coordinates: [[[119.95, 31.7], [119.952, 31.7], [119.952, 31.702], [119.95, 31.702], [119.95, 31.7]]] } });
}

/** @type {(() => void)[]} */
const open = [];
afterEach(() => open.splice(0).forEach((leave) => leave()));

/** A screen, drawn for the device until the test ends; with what is said to the person below it. */
export async function shown(device, drawn, props) {
  const root = new Node(1, "div");
  open.unshift(() => {
    render(null, root);
    device.close();
  });
  render(html`<${DeviceContext.Provider} value=${device}><${drawn} ...${props} /><${Toast} /><//>`, root);
  await rest(200);
  return Object.assign(root, { device });
}
