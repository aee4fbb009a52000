// What stands in the way, in words and with what to do: revoked, forked, full, clock wrong; and what is good to know.

import { t } from "../words.js";
import { ClockNote } from "./clock.js";
import { useAsked, useKept } from "./device.js";
import { usePatrolProblem } from "./duty.js";
import { html, useEffect, useState } from "./html.js";
import { Note, say } from "./page.js";
import { tabs } from "./pulse.js";
import { useRoom } from "./storage.js";
import { size } from "./time.js";
import { tried } from "./tried.js";

export function Warnings() {
  const free = useRoom(), hindered = usePatrolProblem();
  const state = useAsked(async (asked) => asked.state, ["state"]);
  return html`
    ${state === "revoked" && html`<${Note} kind="bad"><b>${t("本机已被停用", "This device was revoked")}</b>
      <span>${t("什么都不会删除。向主管要一个邀请码重新登记,再送一遍。",
        "Nothing is deleted. Ask for a code and enrol anew: everything is sent again.")}</span>
      <a class="button plain" href="#/enrol">${t("用新邀请码登记", "Enrol with a new code")}</a><//>`}
    ${state === "forked" && html`<${Note} kind="bad"><b>${t("需要新的邀请码", "A new invitation code is needed")}</b>
      <span>${t("服务器收到过另一份本机的数据(例如恢复了备份的手机)。向主管要一个邀请码重新登记,已做的会重新编号送出,什么都不会丢。",
        "The server got something from a copy of this device (a phone restored from a backup, say). Ask for a code and enrol anew: everything is numbered again and sent; nothing is lost.")}</span>
      <a class="button primary" href="#/enrol">${t("用新邀请码登记", "Enrol with a new code")}</a><//>`}
    ${free?.scarce && html`<${Note} kind="warn"><b>${t(`存储快满了,只剩 ${size(free.room)}`, `Storage nearly full: ${size(free.room)} left`)}</b>
      <span>${t("请尽快连上网络送出照片,或清理手机里的其他内容。满了以后新照片存不下。",
        "Get to a network to deliver photos, or free space on the phone. Once full, new photos cannot be kept.")}</span><//>`}
    <${ClockNote} />
    ${hindered && html`<${Note} kind="warn"><b>${t("轨迹没有在记录", "The track is not recorded")}</b>
      <span>${hindered === "denied" ? t("浏览器不许读取位置。请在浏览器设置里允许本网站使用位置。",
        "The browser does not allow the position. Allow it for this site in the browser's settings.")
      : hindered === "unavailable" ? t("暂时没有定位。到室外开阔处会自动恢复。", "There is no position now. It comes back by itself under the open sky.") : hindered}</span><//>`}`;
}

/** What can wait, told where nothing moves under the finger when it comes: several tabs, a store that is not kept for good. */
export function Hints() {
  const free = useRoom(), others = useTabs();
  return html`
    ${others > 1 && html`<${Note} kind="wait">${t(`本应用开了 ${others} 个窗口。数据是同一份,不会打架;建议只留一个。`,
      `The app is open in ${others} tabs. They share one store and do no harm; better keep one.`)}<//>`}
    ${free && !free.persistent && html`<${KeepForGood} />`}`;
}

/** Said once; after that it stands in the settings. */
function KeepForGood() {
  const [told, setTold] = useKept("persistence-told", false);
  if (told !== false) return null;
  const ask = () => tried(async () => {
    const granted = await navigator.storage.persist?.() ?? false;
    say(granted ? t("浏览器已答应长期保存", "The browser promises to keep it for good")
      : t("浏览器还没答应。添加到主屏幕后再试。", "Not promised yet. Add the app to the home screen, then try again."));
    await setTold(true);
  });
  return html`<${Note} kind="wait"><span>${t("浏览器还没答应长期保存本机数据。请把应用添加到主屏幕。",
    "The browser has not promised to keep this device's records. Add the app to the home screen.")}</span>
    <button type="button" class="button plain" onClick=${ask}>${t("知道了,请求保存", "Understood; ask it")}</button><//>`;
}

function useTabs() {
  const [count, setCount] = useState(1);
  useEffect(() => {
    const look = () => tabs().then(setCount).catch((failure) => console.info(failure)); // not told: one, as far as is known
    look();
    const timer = setInterval(look, 10_000);
    return () => clearInterval(timer);
  }, []);
  return count;
}
