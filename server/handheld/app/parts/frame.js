// The frame around the screens of the shell: what is safe and what waits, and where to go, both at the thumb.

import { LOST } from "../device/files.js";
import { t } from "../words.js";
import { useAsked, useSyncing } from "./device.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { stoppedOf } from "./outbox_words.js";
import { useRoute } from "./router.js";
import { syncWords } from "./sync_words.js";

/** How things stand with the server, in one line and one kind. */
export function useStanding() {
  const syncing = useSyncing();
  const now = useAsked(async (device) => {
    const open = await device.outbox();
    return { health: await device.health(), delivered: await device.everythingDelivered(), state: device.state, any: await hasMade(device),
      lost: await missingPhotos(device), held: open.some((one) => one.state === "held"), checked: (await device.photos("stored")).length,
      stopped: stoppedOf(open) };
  }, ["standing"]);
  return now ? syncWords({ ...now, syncing }) : null;
}

/** How many photos the server did not accept, or lost when they were no longer here. @param {import("../device/types.d.ts").Device} device */
export async function lostPhotos(device) {
  return (await lost(device)).length;
}

/** How many of them are to be taken again: no photo of the same record and role was taken since that is known here.
 * @param {import("../device/types.d.ts").Device} device */
export async function missingPhotos(device) {
  const missing = await lost(device);
  if (!missing.length) return 0;
  const evidence = (await device.records("evidence")).map(({ fields }) => fields), gone = new Set(missing.map(({ sha256 }) => sha256));
  const replaced = (/** @type {import("../device/types.d.ts").Fields} */ one, /** @type {string} */ since) => evidence.some((other) =>
    other.about.id === one.about.id && other.role === one.role && other.captured_at > since && !gone.has(other.sha256));
  return missing.filter(({ sha256, lost_at }) => evidence.some((one) => one.sha256 === sha256 && !replaced(one, lost_at ?? one.captured_at))).length;
}

/** @param {import("../device/types.d.ts").Device} device */
async function lost(device) {
  return (await Promise.all(LOST.map((state) => device.photos(state)))).flat();
}

let made = false; // once something was made it stays made: the whole outbox is not read again

/** @param {import("../device/types.d.ts").Device} device */
async function hasMade(device) {
  made ||= (await device.outbox({ all: true })).length > 0;
  return made;
}

/** The line above the navigation. */
export function SyncBar() {
  const standing = useStanding();
  const { path } = useRoute();
  if (path === "/sync") return null;
  return html`<a class="sync-bar ${standing?.kind ?? "wait"}" href="#/sync">
    <${Icon} of="sync" /><span><b>${standing?.title ?? t("正在查看…", "Looking …")}</b>
    ${standing?.detail && html`<small>${standing.detail}</small>`}</span></a>`;
}

/** The same as one sign, for screens that need the room. */
export function SyncSign() {
  const standing = useStanding();
  const count = standing?.count ? (standing.count > 99 ? "99+" : String(standing.count)) : "";
  return html`<a class="square sync-sign ${standing?.kind ?? "wait"}" href="#/sync"
    aria-label=${[count, standing?.title ?? t("同步", "Sync")].filter(Boolean).join(" ")}><${Icon} of="sync" />
    ${count && html`<span class="count">${count}</span>`}</a>`;
}

/** @type {{path: string, sign: import("./icons.js").Sign, words: () => string}[]} */
const PLACES = [
  { path: "/", sign: "today", words: () => t("今日", "Today") },
  { path: "/findings", sign: "findings", words: () => t("问题", "Found") },
  { path: "/find", sign: "find", words: () => t("上报", "Report") },
  { path: "/tasks", sign: "tasks", words: () => t("任务", "Tasks") },
  { path: "/sync", sign: "sync", words: () => t("同步", "Sync") },
];

export function Navigation() {
  const { path } = useRoute();
  return html`<nav class="places" aria-label=${t("主导航", "Main")}>${PLACES.map((place) => html`
    <a key=${place.path} href="#${place.path}" class=${place.sign} aria-current=${place.path === path ? "page" : undefined}>
      <${Icon} of=${place.sign} /><span>${place.words()}</span></a>`)}</nav>`;
}
