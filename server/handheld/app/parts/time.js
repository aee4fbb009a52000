// Times as people in the office read them: Beijing time, whatever zone the phone is set to.

import { t } from "../words.js";

const ZONE = "Asia/Shanghai";
/** @type {Map<string, Intl.DateTimeFormat>} */
const FORMATS = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} options */
function format(name, options) {
  const known = FORMATS.get(name);
  if (known) return known;
  const made = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, hourCycle: "h23", ...options });
  FORMATS.set(name, made);
  return made;
}

/** Day and minute, without the year where it is this one; "—" for no time. @param {string | null | undefined} iso */
export function when(iso) {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "—";
  const full = format("full", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).format(at);
  return full.slice(0, 4) === day(new Date().toISOString()).slice(0, 4) ? full.slice(5) : full;
}

/** The calendar day in Beijing, `2026-11-22`. @param {string} [iso] */
export function day(iso) {
  return format("day", { year: "numeric", month: "2-digit", day: "2-digit" }).format(iso ? new Date(iso) : new Date());
}

/** How long ago, or how long until, in one unit. @param {string | null | undefined} iso @param {number} [now] */
export function ago(iso, now = Date.now()) {
  const at = iso ? Date.parse(iso) : NaN;
  if (Number.isNaN(at)) return "—";
  const seconds = Math.abs(now - at) / 1000;
  if (seconds < 60) return t("刚刚", "just now");
  const [count, chinese, english] = seconds < 3600 ? [seconds / 60, "分钟", "min"]
    : seconds < 86400 ? [seconds / 3600, "小时", "h"] : [seconds / 86400, "天", "d"];
  const whole = Math.floor(count);
  return at <= now ? t(`${whole} ${chinese}前`, `${whole} ${english} ago`) : t(`${whole} ${chinese}后`, `in ${whole} ${english}`);
}

/** How long ago something was; the time itself where this clock is behind it, for it was put back since.
 * @param {string | null | undefined} iso @param {number} [now] */
export function since(iso, now = Date.now()) {
  return iso && Date.parse(iso) - now > 60_000 ? when(iso) : ago(iso, now);
}

/** Bytes as people say them. @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** When a task is due, to sort by; one without a day comes last. @param {{fields: Record<string, any>}} task */
export function dueBy({ fields }) {
  return Date.parse(fields.due_at) || 8.64e15;
}
