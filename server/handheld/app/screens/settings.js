// Settings of this phone alone: language, light or dark, size of text, PIN, room; and what this device is.

import { handOver } from "../device/enrolment.js";
import { setAppearance, useAppearance } from "../parts/appearance.js";
import { useDevice, useKept } from "../parts/device.js";
import { putPoints } from "../parts/duty.js";
import { html, useState } from "../parts/html.js";
import { Keypad, FEWEST, MOST } from "../parts/keypad.js";
import { LOCK_AFTER, useTries } from "../parts/lock.js";
import { Button, Choice, Note, Page, Section, Sheet, say } from "../parts/page.js";
import { NO_TRIES, sealed } from "../parts/pin.js";
import { useReference } from "../parts/reference.js";
import { useRoom } from "../parts/storage.js";
import { size } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { useWorker } from "../parts/update.js";
import { VERSION } from "../parts/worker.js";
import { language, t } from "../words.js";

export default function Settings() {
  return html`<${Page} title=${t("设置", "Settings")} back="/"><${Looks} /><${PinSection} /><${Space} /><${ThisDevice} /><//>`;
}

function Looks() {
  const { theme, text } = useAppearance();
  return html`<${Section} title=${t("显示", "Appearance")}>
    <${Choice} label=${t("语言 Language", "Language 语言")} value=${language()} onChange=${(/** @type {any} */ value) => setAppearance({ language: value })}
      options=${[{ value: "zh", label: "中文" }, { value: "en", label: "English" }]} />
    <${Choice} label=${t("明暗", "Light or dark")} value=${theme} onChange=${(/** @type {any} */ value) => setAppearance({ theme: value })}
      options=${[{ value: "auto", label: t("跟随手机", "As the phone") }, { value: "light", label: t("浅色", "Light") }, { value: "dark", label: t("深色", "Dark") }]} />
    <${Choice} label=${t("字号", "Size of text")} value=${text} onChange=${(/** @type {any} */ value) => setAppearance({ text: value })}
      options=${[{ value: "normal", label: t("标准", "Normal") }, { value: "large", label: t("大", "Large") }, { value: "larger", label: t("特大", "Larger") }]} /><//>`;
}

function PinSection() {
  const [pin] = useKept("pin", /** @type {import("../parts/pin.js").Pin | null} */ (null));
  const [after, setAfter] = useKept("lock-after", LOCK_AFTER);
  const [doing, setDoing] = useState("");
  if (pin === undefined || !after) return null;
  return html`<${Section} title="PIN">
    <p class="dim">${t("挡住旁人翻看。PIN 只以加盐散列存在本机,不会离开这台手机,也查不回来。它不加密数据;请同时用手机自己的锁屏。",
      "Keeps passers-by out. It is kept here as a salted hash, never leaves this phone and cannot be looked up. It encrypts nothing: use the phone's own lock, too.")}</p>
    ${pin ? html`<${Choice} label=${t("不动多久后锁定", "Lock when idle for")} value=${after.idle_min}
        onChange=${(/** @type {number} */ idle_min) => tried(() => setAfter({ ...after, idle_min }))}
        options=${[1, 5, 15].map((value) => ({ value, label: t(`${value} 分钟`, `${value} min`) }))} />
      <${Choice} label=${t("离开应用后锁定", "Lock on leaving the app")} value=${after.hidden_s}
        onChange=${(/** @type {number} */ hidden_s) => tried(() => setAfter({ ...after, hidden_s }))}
        options=${[{ value: 0, label: t("立即", "At once") }, { value: 60, label: t("1 分钟后", "After 1 min") }]} />
      <div class="buttons"><${Button} onClick=${() => setDoing("change")}>${t("更换 PIN", "Change the PIN")}<//>
        <${Button} kind="danger" onClick=${() => setDoing("remove")}>${t("取消 PIN", "Remove the PIN")}<//></div>`
    : html`<${Button} kind="primary" onClick=${() => setDoing("set")}>${t("设置 PIN", "Set a PIN")}<//>`}
    ${doing && html`<${PinSheet} pin=${pin} doing=${doing} onClose=${() => setDoing("")} />`}<//>`;
}

/** @param {{pin: import("../parts/pin.js").Pin | null, doing: string, onClose: () => void}} props */
function PinSheet({ pin, doing, onClose }) {
  const device = useDevice();
  const [step, setStep] = useState(doing === "set" ? "new" : "old");
  const [first, setFirst] = useState(""), [problem, setProblem] = useState("");
  const { wait, said, check } = useTries(pin), asking = step === "old";
  const words = /** @type {Record<string, string>} */ ({
    old: t("现在的 PIN", "The present PIN"), new: t(`新 PIN(${FEWEST}–${MOST} 位数字)`, `New PIN (${FEWEST}–${MOST} digits)`),
    again: t("再输一次", "Once more"),
  });
  async function enter(/** @type {string} */ digits) {
    setProblem("");
    if (asking) {
      if (!await check(digits)) return;
      if (doing === "change") return setStep("new");
      await device.keep("pin", null);
      say(t("PIN 已取消", "The PIN is removed"));
      return onClose();
    }
    if (step === "new") {
      setFirst(digits);
      return setStep("again");
    }
    if (digits !== first) {
      setStep("new");
      return setProblem(t("两次不一样,请重新设", "The two differ; begin again"));
    }
    await device.keep("pin-tries", NO_TRIES);
    await device.keep("pin", await sealed(digits));
    say(t("PIN 已设好", "The PIN is set"));
    onClose();
  }
  return html`<${Sheet} title=${words[step]} onClose=${onClose}>
    ${(asking ? said : problem) && html`<${Note} kind="bad">${asking ? said : problem}<//>`}
    <${Keypad} key=${step} label=${words[step]} disabled=${asking && wait > 0} onEnter=${(/** @type {string} */ digits) => tried(() => enter(digits))} action=${step === "again" || doing === "remove" ? t("确定", "OK") : t("下一步", "Next")} /><//>`;
}

function Space() {
  const free = useRoom();
  const [promised, setPromised] = useState(false);
  if (!free) return null;
  const persistent = free.persistent || promised;
  const ask = () => tried(async () => setPromised(await navigator.storage.persist?.() ?? false));
  return html`<${Section} title=${t("存储", "Storage")}><dl class="facts">
    <dt>${t("已用", "Used")}</dt><dd>${size(free.used)}</dd><dt>${t("还可用", "Left")}</dt><dd>${size(free.room)}</dd>
    <dt>${t("长期保存", "Kept for good")}</dt><dd>${persistent ? t("浏览器已答应", "promised by the browser") : t("还没答应;请把应用添加到主屏幕", "not promised yet; add the app to the home screen")}</dd></dl>
    ${!persistent && html`<${Button} onClick=${ask}>${t("请求长期保存", "Ask the browser to keep it")}<//>`}<//>`;
}

function ThisDevice() {
  const device = useDevice();
  const { offline } = useWorker(), { divisions } = useReference();
  const [leaving, setLeaving] = useState(false), [busy, setBusy] = useState(false);
  async function leave() {
    setBusy(true);
    let empty = false;
    const done = await tried(async () => {
      await putPoints(device);
      empty = await handOver(/** @type {any} */ (device));
    });
    setBusy(false);
    setLeaving(false);
    if (done && !empty) say(t("还有没写完、没办完或没送达的,先送完才能交出。", "Something is unfinished or not delivered: it must be sent first."));
    if (!empty) return;
    location.hash = "/enrol";
    location.reload();
  }
  return html`<${Section} title=${t("本机", "This device")}><dl class="facts">
    <dt>${t("属于", "Belongs to")}</dt><dd>${device.user.name} (${device.user.username})</dd>
    <dt>${t("责任范围", "Area")}</dt><dd>${device.scopes.map((code) => divisions[code] ?? code).join("、")}</dd>
    <dt>${t("设备编号", "Device")}</dt><dd><code>${device.id}</code></dd>
    ${device.fingerprint && html`<dt>${t("钥匙指纹", "Key fingerprint")}</dt><dd><code>${device.fingerprint}</code></dd>`}
    <dt>${t("版本", "Version")}</dt><dd><code>${VERSION}</code></dd>
    <dt>${t("没有网络时", "Without a network")}</dt><dd>${offline ? t("可以打开", "it opens") : t("还没下载完,请在有网时多开一会儿", "not all is here yet; keep it open a while with a network")}</dd></dl>
    <${Button} onClick=${() => setLeaving(true)}>${t("交给别人用", "Hand this phone over")}<//>
    ${leaving && html`<${Sheet} title=${t("交给别人用", "Hand this phone over")} onClose=${() => setLeaving(false)}>
      <p>${t("本机会清空:记录、照片和钥匙都不再在这台手机上。服务器签收的一切都在服务器上。下一位用自己的邀请码登记。",
        "This phone is emptied: records, photos and key are no longer on it. All that the server signed for is there. The next person enrols with an own code.")}</p>
      <${Button} kind="danger" busy=${busy} onClick=${leave}>${t("清空并交出", "Empty and hand over")}<//><//>`}<//>`;
}
