// Failures in plain words: what happened, that nothing is lost, and what to do.

import { inOneLanguage, language, t } from "../words.js";

/** What to do, by the action that a problem names (RFC 9457 member `action`). */
const ADVICE = /** @type {Record<string, () => string>} */ ({
  none: () => "",
  retry: () => t("稍后会自动再试。", "It is tried again by itself."),
  relogin: () => t("请向主管要一个新的邀请码,重新登记本机。", "Ask your supervisor for a new invitation code and enrol again."),
  upgrade: () => t("请更新应用后再试。", "Update the app, then try again."),
  resnapshot: () => t("本机会重新取一遍数据。", "This device fetches its records again."),
  new_device: () => t("请向主管要一个新的邀请码,重新登记本机;已做的不会丢。",
    "Ask your supervisor for a new invitation code and enrol again; nothing made here is lost."),
  contact: () => t("请联系主管。已做的都还在本机。", "Contact your supervisor. All that was made is still on this device."),
});

/** Codes for which the action alone says too little. */
const WORDS = /** @type {Record<string, () => string>} */ ({
  unreachable: () => t("连不上服务器。没有网络也能照常工作,有网后自动送出。",
    "The server cannot be reached. Go on working; everything is sent when there is a network."),
  disk_full: () => t("手机存储已满,收不下服务器的新内容。请清理手机空间;已做的都在本机。",
    "The storage of this phone is full, so what the server has to say does not fit. Free some space; all that was made is here."),
  log_refused: () => t("服务器给出的日志与本机见过的不一致,没有收下。已做的都还在本机,请立即报告主管。",
    "The server's journal is not the one that this device has seen, so it was not accepted. All that was made is still here; report "
    + "it to your supervisor at once."),
  login_required: () => t("服务器不认识本机(可能从备份恢复过)。请向主管要一个新的邀请码,重新登记本机;已做的不会丢。",
    "The server does not know this device (it may have been restored from a backup). Ask for a new invitation code and enrol "
    + "again; nothing made here is lost."),
  NotSecure: () => t("请用 https 的网址打开:否则浏览器不给密钥,离线也打不开。",
    "Open the address that begins with https: without it a browser gives no keys and keeps no app."),
  AlreadyEnrolled: () => t("这个浏览器已登记过一台设备。请重新打开应用。",
    "This browser holds a device already. Open the app again."),
  StoreRemoved: () => t("浏览器清除了本网站在这台手机上的数据。没有送达的记录和照片已经没有了;送达的都在服务器上。请向主管要一个邀请码,重新登记。",
    "The browser removed what this site kept on the phone. Records and photos that were not delivered are lost; what was delivered is on "
    + "the server. Ask your supervisor for an invitation code and enrol again."),
  HandedOver: () => t("这台手机已在另一个窗口交出,这里不再存任何东西。", "This phone was handed over in another tab; nothing is kept here any more."),
  TooLarge: () => t("内容太长,服务器不收,没有存下;写的还在这里。请把文字或备注写短一些。",
    "This is too long for the server and was not kept; what you wrote still stands here. Shorten its texts or notes."),
  invitation_invalid: () => t("没有这个邀请码。请看清字母和数字,或向主管要一个新的。",
    "There is no such invitation code. Check its letters and digits, or ask your supervisor for a new one."),
  invitation_used: () => t("这个邀请码已用过。每个码只能登记一台设备,请向主管要一个新的。",
    "This code was used already. Each enrols one device; ask your supervisor for a new one."),
  invitation_expired: () => t("这个邀请码已过期。请向主管要一个新的。",
    "This code has expired. Ask your supervisor for a new one."),
  invitation_of_another: () => t("这个邀请码是给别人的,没有用掉。本机里是您做的,不能以别人的名义送出;请要一个给您本人的码。",
    "This code is for somebody else, and still good. What is here is your work and must not be sent in another's name; ask for a code of "
    + "your own."),
  device_revoked: () => t("本机已被停用。做过的都还在本机,请联系主管。",
    "This device was revoked. All that was made is still here; contact your supervisor."),
  device_forked: () => t("本机的数据似有另一份副本在用。请向主管要一个新的邀请码;已做的不会丢。",
    "A copy of this device seems to be in use. Ask for a new invitation code; nothing made here is lost."),
});

/** @typedef {{code?: string, kind?: string, title?: string, detail?: string, action?: string, body?: Record<string, any>}} Told */

/** A problem that the server answered, or a failed sync, in words. @param {Told} problem */
export function problemWords(problem) {
  const code = problem.code ?? problem.kind ?? "";
  return WORDS[code]?.() ?? [outcomeWords(problem), ADVICE[problem.action ?? ""]?.() ?? ""].filter(Boolean).join(" ");
}

/** Why a mutation was not applied: it rests with the supervisor, so what the device does next is no matter. @param {Told} problem */
export function outcomeWords({ code, kind, body, title = body?.title, detail = "" }) {
  const said = inOneLanguage(title ?? ""), more = inOneLanguage(detail), isChinese = /[\u4e00-\u9fff]/.test(more);
  if (!said) return more || statusWords(code ?? kind ?? "");
  return more && more !== said && isChinese === (language() === "zh") ? said + t(`(${more})`, ` (${more})`) : said;
}

/** A code; where an answer gave no reason but its status, that one. @param {string} code */
export function statusWords(code) {
  const [, status] = /^http_(\d+)$/.exec(code) ?? [];
  return status ? t(`服务器或途中的网关答复 HTTP ${status}`, `HTTP ${status} from the server or something on the way`) : code;
}

/** Anything thrown, in words. @param {unknown} failure */
export function failureWords(failure) {
  if (!(failure instanceof Error)) return String(failure);
  if (failure.name === "QuotaExceededError") {
    return t("手机存储已满,这一步没有存下。请清理手机空间后再试一次;已存的都在。",
      "The storage of this phone is full, so this was not kept. Free some space and try again; what was kept is safe.");
  }
  if (failure.name === "Unreachable") return WORDS.unreachable();
  if (failure.name === "LogRefused") return WORDS.log_refused();
  if (WORDS[failure.name]) return WORDS[failure.name]();
  if ("code" in failure && typeof failure.code === "string") return problemWords(/** @type {any} */ (failure));
  const technical = `${failure.name}: ${failure.message}`;
  return t(`这一步没有做成,请再试一次。(技术信息:${technical})`, `This was not done; try again. (${technical})`);
}
