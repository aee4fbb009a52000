// Opens the device of this browser and shows its screens; without one, the way to enrol.

import { enrolDevice, openDevice } from "./device/device.js";
import { applyAppearance, useAppearance } from "./parts/appearance.js";
import { DeviceContext } from "./parts/device.js";
import { failureWords } from "./parts/failures.js";
import { html, render, useEffect, useState } from "./parts/html.js";
import { Button, Note, Sheet, Toast, say } from "./parts/page.js";
import { holdTab } from "./parts/pulse.js";
import { loadReference } from "./parts/reference.js";
import { loadAll } from "./parts/screen.js";
import { Shell } from "./parts/shell.js";
import { UpdateOffer } from "./parts/update.js";
import { onSyncAsked, startWorker } from "./parts/worker.js";
import { EnrolForm } from "./screens/enrol.js";
import { t } from "./words.js";

/** @typedef {import("./device/types.d.ts").Device} Device */

const place = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @param {{opened: Device | null, enrol: (code: string, name: string) => Promise<Device>}} props */
function App({ opened, enrol }) {
  const [device, setDevice] = useState(opened);
  const { language } = useAppearance();
  useEffect(() => onSyncAsked(() => device?.syncSoon({ background: true })), [device]);
  return html`${device ? html`<${DeviceContext.Provider} value=${device}><${Shell} language=${language} /><//>`
    : html`<div class="screen" key=${language}><${EnrolForm} enrol=${enrol} onEnrolled=${setDevice} /></div>`}
    <${UpdateOffer} key="${language} update" /><${Toast} />`;
}

/** @type {HTMLElement | null} */
let over = null;

/** What this page had is another's by now, or gone: then what is being written still stands below. @param {Error} failure */
function lost(failure) {
  const enrol = () => {
    location.hash = "/enrol";
    location.reload();
  };
  if (failure.name === "HandedOver") return enrol();
  if (over) return;
  const place = over = document.body.appendChild(document.createElement("div"));
  render(html`<${Sheet} title=${t("本机的数据没有了", "The data on this phone is gone")} onClose=${() => render(null, place)}>
    <${Note} kind="bad"><p>${failureWords(failure)}</p><p>${t("正在写的还在下面,可先抄下来。", "What is being written still stands below: note it down first.")}</p><//>
    <${Button} kind="primary" onClick=${enrol}>${t("重新登记", "Enrol again")}<//><//>`, place);
}

async function start() {
  applyAppearance();
  holdTab();
  const reference = await loadReference();
  const device = await openDevice({ reference, lost });
  const enrol = (/** @type {string} */ code, /** @type {string} */ name) => enrolDevice({ reference, code, name, lost });
  place.replaceChildren();
  render(html`<${App} opened=${device} enrol=${enrol} />`, place);
  const soon = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ work) => setTimeout(work, 2000)); // Safari has none
  soon(() => void loadAll());
}

addEventListener("unhandledrejection", ({ reason }) => say(failureWords(reason))); // whatever nobody waited for
startWorker(); // first, so that an edition that does not start can be replaced
start().catch((failure) => {
  console.error(failure);
  place.replaceChildren();
  render(html`<main><${UpdateOffer} always=${true} /><${Note} kind="bad"><h1>${t("打不开", "Could not open")}</h1><p>${failureWords(failure)}</p>
    <p>${t("已存下的都还在。请关掉再打开;若仍不行,请联系主管。",
      "All that was kept is safe. Close and open again; if it fails still, contact your supervisor.")}</p><//></main>`, place);
});
