// Enrolling this browser as somebody's device, by an invitation code that is typed, scanned or in the address.

import { Unreachable } from "../device/client.js";
import { appearance, setAppearance } from "../parts/appearance.js";
import { useDevice } from "../parts/device.js";
import { failureWords } from "../parts/failures.js";
import { html, useEffect, useState } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { Button, Choice, Field, Note, Section, say } from "../parts/page.js";
import { fits, go, goBack, useRoute } from "../parts/router.js";
import { Scan } from "../parts/scan.js";
import { t } from "../words.js";

/** @typedef {import("../device/types.d.ts").Device} Device */

const CODE = /^[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}$/;

/** A code as it is printed, however it was typed. @param {string} text */
export function tidy(text) {
  const letters = text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "").slice(0, 15);
  return (letters.match(/.{1,5}/g) ?? []).join("-");
}

/** The code in what a QR code says: the address of this screen, or the code alone. @param {string} text */
export function codeIn(text) {
  const found = text.split("/enrol/", 2)[1] ?? text;
  const code = tidy(found.split(/[?#&]/, 1)[0]);
  return CODE.test(code) ? code : null;
}

/** @returns {string} */
function nameOfPhone() {
  const agent = navigator.userAgent;
  const apple = /iPhone|iPad/.exec(agent)?.[0], android = /Android[^;)]*;\s*([^;)]+?)(?:\sBuild[^)]*)?\)/.exec(agent)?.[1];
  const model = apple ?? android; // browsers that hide the model say "K"
  return model && model !== "K" ? model : t("我的手持端", "My handheld");
}

/** A browser that is a device already becomes a new one of the same person. */
export default function EnrolAnew() {
  const device = useDevice();
  return html`<${EnrolForm} known=${device} onBack=${() => goBack("/sync")}
    onEnrolled=${() => say(t("已重新登记,正在重新送出", "Enrolled anew; everything is being sent again"))} />`;
}

/**
 * @param {{enrol?: (code: string, name: string) => Promise<Device>, onEnrolled: (device: Device) => void,
 *   known?: Device, kept?: Record<string, any>, onBack?: () => void, children?: any}} props `known` where this browser is a device
 *   already, which then keeps what is `kept`; else `enrol` makes it one
 */
export function EnrolForm({ enrol, onEnrolled, known, kept, onBack, children }) {
  const { path } = useRoute();
  const given = fits("/enrol/:code", path)?.code ?? "";
  const [code, setCode] = useState(tidy(given));
  const [named, setName] = useState(/** @type {string | null} */ (null)), name = named ?? nameOfPhone(); // in the language chosen
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  const [busy, setBusy] = useState(false), [scanning, setScanning] = useState(false);
  useEffect(() => {
    if (given) setCode(tidy(given));
  }, [given]);

  const complete = CODE.test(code);
  async function send(/** @type {Event} */ event) {
    event.preventDefault();
    if (!complete || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await known?.enrolAnew(code, kept);
      known?.syncSoon(); // what was refused to the old device is delivered by the new one
      const device = known ?? await /** @type {any} */ (enrol)(code, name.trim() || nameOfPhone());
      go("/", { replace: true }); // the code is used up: it need not stay in the address
      onEnrolled(device);
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  }

  function read(/** @type {string} */ text) {
    const found = codeIn(text);
    setScanning(false);
    if (found) setCode(found);
    else say(t("这个二维码里没有邀请码。请扫主管页面上的二维码。", "There is no invitation in this QR code. Scan the one on your supervisor's page."));
  }

  return html`
    <header class="head">${onBack && html`<button type="button" class="square" aria-label=${t("返回", "Back")}
        onClick=${onBack}><${Icon} of="back" /></button>`}
      <h1>${known ? t("重新登记本机", "Enrol this device anew") : t("登记本机", "Enrol this device")}</h1></header>
    <main>${children}<form class="stack" onSubmit=${send}>
      ${!known && html`<${Choice} label=${t("语言", "Language")} hideLabel value=${appearance().language}
        onChange=${(/** @type {"zh" | "en"} */ language) => setAppearance({ language })}
        options=${[{ value: "zh", label: "中文" }, { value: "en", label: "English" }]} />`}
      <p>${known ? t(`本机已登记给 ${known.user.name}。用新的邀请码重新登记后,还没送达的都会以新编号再送,什么都不会丢。`,
        `This is ${known.user.name}'s device. Enrolled anew, all that is not delivered is numbered again and sent; nothing is lost.`)
      : t("向主管要一个邀请码:三组、每组五个字母或数字。", "Ask your supervisor for an invitation code: three groups of five letters or digits.")}</p>
      <${Field} label=${t("邀请码", "Invitation code")}>
        <input class="code" value=${code} onInput=${(/** @type {any} */ event) => setCode(tidy(event.target.value))}
          placeholder="ABCDE-FGHJK-LMNPQ" autocapitalize="characters" autocomplete="off" spellcheck=${false} /><//>
      <${Button} onClick=${() => setScanning(true)}><${Icon} of="scan" />${t("扫二维码", "Scan the QR code")}<//>
      ${scanning && html`<${Scan} title=${t("扫邀请码", "Scan the invitation")} onRead=${read} onClose=${() => setScanning(false)} />`}
      ${!known && html`<${Field} label=${t("给这台手机起个名字", "A name for this phone")}
        hint=${t("主管在设备列表里看到的名字", "What your supervisor sees in the list of devices")}>
        <input value=${name} maxlength="80" autocomplete="off"
          onInput=${(/** @type {any} */ event) => setName(event.target.value)} /><//>`}
      ${failure ? html`<${Note} kind="bad">${failure instanceof Unreachable ? t("连不上服务器,还没有登记。请连上网络再点一次;同一个邀请码仍可用。",
        "The server cannot be reached: not enrolled yet. Get a network and tap again; the same code still works.") : failureWords(failure)}<//>` : null}
      <${Button} kind="primary" type="submit" disabled=${!complete} busy=${busy}>
        ${busy ? t("正在登记…", "Enrolling …") : t("登记", "Enrol")}<//>
    </form>
    ${!known && html`<${Section} title=${t("会发生什么", "What happens")}>
      <ol class="numbered">
        <li>${t("本机造一把签名钥匙,它永远不会离开这台手机;每张照片和每次送出都用它签名。",
          "This phone makes a signing key that never leaves it; each photo and each delivery is signed with it.")}</li>
        <li>${t("取回您责任范围内的记录、责任区和任务。此后没有网络也能工作。",
          "The records, zones and tasks of your area are fetched. From then on you can work without a network.")}</li>
        <li>${t("您做的先存在本机,有网络时自动送出;服务器签收之前,什么都不会从本机删除。",
          "What you make is kept here first and sent when there is a network; nothing is removed before the server has signed for it.")}</li>
        <li>${t("请浏览器长期保存这些数据。登记后请“添加到主屏幕”。",
          "The browser is asked to keep all this for good. After enrolling, add the app to the home screen.")}</li>
      </ol><//>`}</main>`;
}
