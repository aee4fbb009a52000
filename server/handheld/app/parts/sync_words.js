// How things stand with the server, in plain words. Nothing is called delivered without the server's receipt.

import { t } from "../words.js";
import { problemWords } from "./failures.js";
import { since, size } from "./time.js";

/** @typedef {import("../device/types.d.ts").Health} Health */
/** @typedef {import("../device/types.d.ts").SyncState} SyncState */
/** @typedef {{kind: "ok" | "wait" | "warn" | "bad", title: string, detail: string, count: number}} Standing */

/**
 * `any` says whether anything was ever made on this device, `held` whether the server holds something that waits for
 * its record, such as photos of what is still being written, `checked` how many photos it is looking at, `lost` how many it
 * will not have, `stopped` how many changes it keeps without applying them.
 * @param {{health: Health, syncing: SyncState, delivered: boolean, state: string, any: boolean, held: boolean,
 *   checked: number, lost: number, stopped: number}} now
 * @returns {Standing}
 */
export function syncWords({ health, syncing, delivered, state, any, held, checked, lost, stopped }) {
  const count = health.unsent + health.unsent_photos;
  const [title, what] = ENDED[state]?.() ?? [];
  if (title) return { kind: "bad", count, title, detail: [count && waiting(health), what].filter(Boolean).join(" · ") };
  const rest = delivered ? paused(syncing, t("其余全部送达", "everything else is delivered"))
    : [waiting(health), why(health, syncing)].filter(Boolean).join(" · ");
  if (lost) {
    return { kind: "bad", count, title: t(`${lost} 张照片未被接收,请重拍`, lost === 1 ? "A photo was not accepted: take it again"
      : `${lost} photos were not accepted: take them again`), detail: [stopped && stoppedWords(stopped), rest].filter(Boolean).join(" · ") };
  }
  if (stopped) return { kind: "warn", count, title: stoppedWords(stopped), detail: rest };
  if (delivered) {
    return { kind: "ok", count: 0, title: t("全部送达", "Everything delivered"),
      detail: paused(syncing, t("服务器已签收", "The server has signed for it")) };
  }
  if (!count && !any) {
    return { kind: "ok", count, title: t("没有要送的", "Nothing to deliver"), detail: syncing.doing ? DOING[syncing.doing]() : lastWords(syncing) };
  }
  return { kind: syncing.failure && syncing.failure.kind !== "unreachable" ? "warn" : "wait", count,
    title: waiting(health), detail: [
      !count && held && t("有的还等着它所属的记录", "some of it waits for its record"),
      !count && checked > 0 && t(`服务器正在核验 ${checked} 张照片`, `${checked} photo${checked === 1 ? " is" : "s are"} being checked`),
      why(health, syncing)].filter(Boolean).join(" · ") };
}

/** @type {Record<string, () => string[]>} */
const ENDED = {
  revoked: () => [t("本机已停用", "This device was revoked"), t("做过的都还在,请联系主管", "All that was made is here; contact your supervisor")],
  forked: () => [t("需要新的邀请码", "A new invitation code is needed"), t("已做的不会丢,点此处理", "Nothing is lost; tap to go on")],
};

/** @param {SyncState} syncing */
function lastWords({ failure, last_ok_at: at, paused }) {
  if (paused) return PAUSED();
  if (failure?.kind === "unreachable" || !navigator.onLine) return t("没有网络,照常工作", "no network; go on working");
  if (failure) return problemWords(failure);
  return at ? t(`数据更新于 ${since(at)}`, `up to date ${since(at)}`) : "";
}

/** What the server has and did not apply. @param {number} count */
export function stoppedWords(count) {
  return t(`${count} 条未采纳,由主管处理`, `${count} not applied: your supervisor sees to ${count === 1 ? "it" : "them"}`);
}

/** What waits. @param {Health} health */
export function waiting({ unsent, unsent_photos: photos }) {
  const parts = [unsent && t(`${unsent} 条记录`, `${unsent} change${unsent === 1 ? "" : "s"}`),
    photos && t(`${photos} 张照片`, `${photos} photo${photos === 1 ? "" : "s"}`)].filter(Boolean);
  if (!parts.length) return t("已送出,等服务器签收", "Sent; the receipt is awaited");
  return t(`${parts.join("、")}待送`, `${parts.join(", ")} waiting`);
}

/** Why it waits and since when, or what is being done. @param {Health} health @param {SyncState} syncing */
export function why(health, syncing) {
  const oldest = health.oldest_unsent_at ? t(`最早 ${since(health.oldest_unsent_at)}`, `oldest ${since(health.oldest_unsent_at)}`) : "";
  const waits = health.unsent + health.unsent_photos > 0;
  return [reason(syncing, waits, health.unsent === 0), oldest].filter(Boolean).join(" · ");
}

/** @param {SyncState} syncing @param {boolean} waits @param {boolean} onlyPhotos */
function reason({ doing, photo, failure, paused, wifi_only: wifi }, waits, onlyPhotos) {
  if (doing === "upload" && photo) {
    return t(`正在传照片 ${size(photo.sent)} / ${size(photo.bytes)}`, `uploading ${size(photo.sent)} of ${size(photo.bytes)}`);
  }
  if (doing) return DOING[doing]();
  if (paused) return PAUSED();
  if (failure?.kind === "unreachable" || !navigator.onLine) return t("没有网络,有网自动送出", "no network; sent when there is");
  if (failure) return problemWords(failure);
  if (!waits) return "";
  if (wifi && onlyPhotos) return t("照片等 Wi-Fi", "photos wait for Wi-Fi");
  return t("即将送出", "about to be sent");
}

const PAUSED = () => t("已暂停,不会自己同步", "paused: no sync by itself");

/** @param {SyncState} syncing @param {string} words */
function paused({ paused: is }, words) {
  return is ? `${words} · ${PAUSED()}` : words;
}

const DOING = {
  hello: () => t("正在联系服务器", "asking the server"),
  push: () => t("正在送出记录", "sending changes"),
  upload: () => t("正在传照片", "uploading photos"),
  pull: () => t("正在接收", "receiving"),
  receipt: () => t("等服务器签收", "awaiting the receipt"),
};
