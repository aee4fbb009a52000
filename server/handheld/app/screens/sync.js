// What is safe on the server and what is not yet: each entry's fate, each photo's way, the receipt, the way out.

import { Deliveries, Happened, Photos } from "../parts/deliveries.js";
import { useAsked, useDevice, useDrafts, useHealth, useSyncing } from "../parts/device.js";
import { putPoints } from "../parts/duty.js";
import { failureWords, problemWords } from "../parts/failures.js";
import { lostPhotos, useStanding } from "../parts/frame.js";
import { html, useState } from "../parts/html.js";
import { stoppedOf } from "../parts/outbox_words.js";
import { Button, Note, Page, Section, Sheet, say } from "../parts/page.js";
import { save } from "../parts/saving.js";
import { stoppedWords } from "../parts/sync_words.js";
import { day, since, size, when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { Hints, Warnings } from "../parts/warnings.js";
import { t } from "../words.js";

export default function Sync() {
  return html`<${Page} title=${t("同步", "Sync")}>
    <${Standing} /><${Warnings} /><${Hints} /><${Photos} /><${Deliveries} /><${Happened} /><${WayOut} /><//>`;
}

function Standing() {
  const device = useDevice(), standing = useStanding(), syncing = useSyncing(), health = useHealth();
  const [busy, setBusy] = useState(false);
  async function now() {
    setBusy(true);
    await device.sync().then(tell, (failure) => say(failureWords(failure)));
    setBusy(false);
  }
  const { failure, photo, last_ok_at, paused } = syncing;
  return html`<section class="section standing ${standing?.kind ?? "wait"}" aria-live="polite">
    <h2>${standing?.title ?? t("正在查看…", "Looking …")}</h2>
    ${standing?.detail && html`<p>${standing.detail}</p>`}
    ${photo && html`<div><progress max=${photo.bytes} value=${photo.sent} aria-label=${t("这张照片", "This photo")}></progress>
      <small>${t("照片", "photo")} ${size(photo.sent)} / ${size(photo.bytes)}</small></div>`}
    ${health && health.unsent_bytes > 0 && html`<p class="dim">${t(`待送 ${size(health.unsent_bytes)}`, `${size(health.unsent_bytes)} to go`)}</p>`}
    <p class="dim">${last_ok_at ? t(`上次同步成功 ${when(last_ok_at)}(${since(last_ok_at)})`, `Last went through ${when(last_ok_at)} (${since(last_ok_at)})`)
      : t("还没有同步成功过", "No sync has gone through yet")}</p>
    ${failure && html`<${Note} kind=${failure.kind === "unreachable" ? "wait" : "bad"}><b>${t("上次没成功", "The last one failed")} · ${when(failure.at)}</b>
      <span>${problemWords(failure)}</span><//>`}
    <div class="buttons">
      <${Button} kind="primary" busy=${busy || syncing.doing !== null} onClick=${now}>
        ${busy || syncing.doing ? t("正在同步…", "Syncing …") : t("立即同步", "Sync now")}<//>
      <${Button} aria-pressed=${paused ? "true" : "false"} onClick=${() => tried(() => device.configure({ paused: !paused }))}>
        ${paused ? t("继续同步", "Go on") : t("暂停", "Pause")}<//></div>
    <${WifiOnly} /></section>`;
}

/** Shows what was tapped while the store writes it; what could not be written falls back, and the words say why. */
function WifiOnly() {
  const device = useDevice(), [asked, setAsked] = useState(/** @type {boolean | null} */ (null));
  async function choose(/** @type {boolean} */ wifi_only) {
    setAsked(wifi_only);
    await tried(() => device.configure({ wifi_only }));
    setAsked(null);
  }
  return html`<label class="tick">
    <input type="checkbox" checked=${asked ?? device.syncing.wifi_only} onChange=${(/** @type {any} */ event) => choose(event.target.checked)} />
    <span>${t("照片只在 Wi-Fi 下传", "Photos over Wi-Fi only")}<br /><small>${"connection" in navigator ? t("记录照常送出", "changes are sent all the same")
      : t("这个浏览器不告诉是不是 Wi-Fi;请用“暂停”", "This browser does not tell; use Pause")}</small></span></label>`;
}

/** @param {import("../device/types.d.ts").Report} report */
function tell({ delivered, uploaded, received, waiting, photos_waiting }) {
  const left = waiting + photos_waiting;
  say(t(`送出 ${delivered} 条、照片 ${uploaded} 张,收到 ${received} 条${left ? `;还有 ${left} 件在等` : ""}`,
    `Sent ${delivered}, photos ${uploaded}, received ${received}${left ? `; ${left} still wait` : ""}`));
}

function WayOut() {
  const device = useDevice(), receipt = useAsked((asked) => asked.receipt(), ["receipt"]);
  const delivered = useAsked(async (asked) => await asked.everythingDelivered()
    && { lost: await lostPhotos(asked), stopped: stoppedOf(await asked.outbox()) }, ["delivered"]);
  const [shown, setShown] = useState(false), [making, setMaking] = useState(false), drafts = useDrafts()?.length ?? 0;
  async function bundle() {
    setMaking(true);
    await tried(() => putPoints(device)); // where the store is full the rest goes all the same
    await tried(async () => save(await device.bundle(), `menqian-${day()}-${device.id.slice(0, 8)}.zip`));
    setMaking(false);
  }
  return html`<${Section} title=${t("凭据与备份", "Proof and a way out")}>
    ${receipt ? html`<p>${delivered ? (delivered.lost ? t("服务器签收了全部记录和它接收的照片。", "The server has signed for everything but the photos that it did not accept.")
        : t("服务器签收了本机的全部记录和照片。", "The server has signed for everything from this device."))
      : t("这是较早的签收,此后又做了新的。", "This is an earlier receipt; more was made since.")}
      ${delivered && delivered.stopped > 0 && t(`其中 ${stoppedWords(delivered.stopped)}。`, ` Of it, ${stoppedWords(delivered.stopped)}.`)}</p>
      <div class="buttons"><${Button} onClick=${() => setShown(true)}>${t("看签收单", "Show the receipt")}<//>
      <${Button} onClick=${() => save(new Blob([receipt], { type: "text/plain" }), `menqian-receipt-${day()}.txt`)}>${t("存签收单", "Save the receipt")}<//></div>`
    : html`<p class="dim">${t("还没有服务器的签收单。全部送达后自动取得。", "There is no receipt yet. It comes once everything has arrived.")}</p>`}
    ${drafts > 0 && html`<${Note} kind="warn">${t(`另有 ${drafts} 份没写完,只在本机,也不在导出的文件里:先写完存下。`,
      `${drafts} unfinished: on this phone alone, and not in the exported file. Finish and keep them first.`)}<//>`}
    <${Button} busy=${making} onClick=${bundle}>${making ? t("正在导出…", "Exporting …") : t("导出未送达的一切", "Export all that is not delivered")}<//>
    <p class="hint">${t("手机要坏、网络久久不通时用:得到一个文件,交给主管导入。导出不会从本机删除任何东西。",
      "For a dying phone or a long time without a network: one file for your supervisor to import. Nothing is removed here.")}</p>
    <a class="button plain" href="#/enrol">${t("用新邀请码重新登记本机", "Enrol this device anew by a code")}</a>
    ${shown && html`<${Sheet} title=${t("服务器的签收单", "The server's receipt")} onClose=${() => setShown(false)}>
      <pre class="receipt" tabindex="0">${receipt}</pre><//>`}<//>`;
}
