// One task: what is asked, the work by its kind, and accept, finish or hand back.

import { BlindVisit, Compared } from "../forms/blind_visit.js";
import { Delivery } from "../forms/letter_told.js";
import { ConflictNotes } from "../forms/record_notes.js";
import { AboutCard, LeftWork, Look, Retake, endWork, outcomesOf, retakenOf, useTakenSince, useWork, withTaken } from "../forms/task_work.js";
import { valueWords } from "../forms/values.js";
import { useDevice, useOutbox, useRecord } from "../parts/device.js";
import { TO_DO, stateOf } from "../parts/embargo.js";
import { html, useState } from "../parts/html.js";
import { titleOf } from "../parts/outbox_words.js";
import { Button, Field, Note, Page, Sheet, say } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { leaveFor } from "../parts/router.js";
import { handled } from "../parts/states.js";
import { when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { t } from "../words.js";
import { kindOf } from "./tasks.js";

/** @param {{params: Record<string, string>}} props */
export default function Task({ params }) {
  const device = useDevice();
  const task = useRecord("task", params.id), made = useOutbox({ all: true, record_id: params.id });
  const { task_kinds: kinds } = useReference();
  const [kept, change] = useWork(params.id), since = useTakenSince(task), work = kept && withTaken(kept, task, since), finding = useRecord("finding", task?.fields.about?.id ?? "");
  const [asked, setAsked] = useState(-1), [handing, setHanding] = useState(false), [reason, setReason] = useState("");
  const title = t("任务", "Task");
  if (task === undefined || !made || !kept || !work) return html`<${Page} title=${title} back="/tasks" />`;
  if (task === null) return html`<${Page} title=${title} back="/tasks"><${Note} kind="warn">${t("此任务不在本机,可能已改派。", "This task is not on this device; it may have gone to somebody else.")}<//>
    <${LeftWork} id=${params.id} work=${kept} /><//>`;
  const busy = asked === made.length; // until what was given is among it
  const { fields } = task, kind = kindOf(kinds, fields.kind), state = stateOf(task, made), open = TO_DO.has(state);
  const mine = fields.assignee === device.user.id, blind = fields.kind === "spot_check", judged = fields.status === "finished";
  const check = fields.kind === "check"; // its verdict is the case's own step: of an officer who did not handle it (domain.md 4.1)
  const judges = fields.kind !== "retake" && !(check && (device.user.roles.every((role) => role === "auxiliary") || (finding && handled(finding.fields, device.user))));
  const failed = check && work.outcome !== outcomesOf(kind)[0]?.value;
  const named = /** @type {any[]} */ (fields.photos ?? []), retaken = retakenOf(work);
  const finished = made.findLast(({ body }) => body.command?.name === "finish"), given = (finished?.state === "done" ? fields.outcome : undefined) ?? finished?.body.command.args ?? fields.outcome;
  const told = given && [outcomesOf(kind).find((/** @type {any} */ one) => one.value === (given.verdict ?? given.outcome))?.label
    ?? given.outcome ?? given.reason, given.note].filter(Boolean).join(" · ");
  const overtaken = made.filter(({ body, outcome }) => body.command && outcome?.outcome === "conflicted")
    .map(({ body: { command: { name, args } } }) => valueWords("command", { command: name, args })).join(t(";", "; "));
  const lacks = [
    blind && !work.arrived && t("到达现场后作答", "It opens on arrival"),
    fields.kind === "retake" && named.some((one) => !retaken[one.evidence_id]) && t("指定的照片还没拍齐", "Photos that were named are missing"),
    fields.kind === "retake" && !named.length && !work.photos?.length && t("请补充照片", "Add a photo"),
    judges && !work.outcome && t("请选择结果", "Choose the outcome"),
    judges && failed && !work.note?.trim() && t("不合格须写明理由", "Say why it failed"),
    fields.kind !== "retake" && kind.photo_role && !work.photos?.length && t("请拍照", "Take a photo"),
    blind && work.outcome === "disputed" && !work.values?.class_code && !work.note?.trim() && t("不一致的,请写明所见或类别", "It differs: say how, or choose the class you see"),
  ].filter(Boolean);

  /** @param {string} name @param {Record<string, any>} args @param {string} words */
  async function command(name, args, words) {
    setAsked(made?.length ?? 0);
    const done = await tried(() => device.group((maker) => {
      maker.command("task", params.id, name, args, { status: state }, task?.version ?? 0);
      if (name === "finish" && check && judges && finding?.fields.status === "checking") {
        maker.command("finding", finding.id, failed ? "check_fail" : "check_pass", args.note ? { reason: args.note } : {}, { status: "checking" }, finding.version);
      }
    }));
    if (!done) {
      setAsked(-1);
      return false;
    }
    if (name !== "accept") await tried(() => endWork(device, params.id));
    say(words);
    device.syncSoon();
    return true;
  }

  function finish() {
    const done = work ?? {}, note = done.note?.trim() ? { note: done.note.trim() } : {};
    const args = blind ? { verdict: done.outcome, values: done.values ?? {}, ...note, arrived: done.arrived }
      : fields.kind === "retake" ? { ...note, photos: named.length ? Object.values(retaken) : (done.photos ?? []).map((one) => one.id) }
      : { ...(judges ? { outcome: done.outcome } : {}), ...note };
    return command("finish", { ...args, ...(fields.kind !== "retake" && done.photos?.length ? { photos: done.photos.map((one) => one.id) } : {}) },
      t("已完成,联网后送达", "Finished; it goes out with the next network"));
  }

  return html`<${Page} title=${t(kind.name_cn, kind.name_en)} back="/tasks" actions=${mine && open && html`
      ${lacks.length > 0 && html`<p class="hint">${lacks[0]}</p>`}
      <div class="pair"><${Button} onClick=${() => setHanding(true)}>${t("退回", "Hand back")}<//>
        ${state === "open" && lacks.length > 0 ? html`<${Button} kind="primary" busy=${busy} onClick=${() => command("accept", {}, t("已接收", "Accepted"))}>${t("接收", "Accept")}<//>`
        : html`<${Button} kind="primary" busy=${busy} disabled=${lacks.length > 0} onClick=${finish}>${t("完成", "Finish")}<//>`}</div>`}>
    <p><b>${titleOf(fields)}</b></p>
    <p class="hint">${valueWords("status", state)}${fields.due_at ? t(` · 限 ${when(fields.due_at)}`, ` · due ${when(fields.due_at)}`) : ""}</p>
    <p>${t(kind.text_cn, kind.text_en)}</p>
    ${fields.note && html`<${Note} kind="warn">${fields.note}<//>`}
    ${!open || task.unsent ? html`<${Delivery} record=${task} />` : null}
    <${ConflictNotes} id=${params.id} />
    ${overtaken && html`<${Note} kind="warn">${t("到达时任务的状态已变,您的这一步没有采用:", "The task had moved on when your step arrived, so it was not taken: ")}<b>${overtaken}</b><//>`}
    ${!mine && html`<${Note}>${t("此任务属于他人,只能查看。", "This task is somebody else's.")}<//>`}
    ${fields.about && !(blind && (!judged || !mine)) && html`<${AboutCard} about=${fields.about} />`}
    ${mine && (fields.kind === "retake" ? html`<${Retake} task=${task} work=${work} onWork=${change} open=${open} />`
      : open && (blind ? html`<${BlindVisit} task=${task} kind=${kind} work=${work} onWork=${change} />`
        : html`<${Look} task=${task} kind=${kind} work=${work} onWork=${change} judges=${judges} />`))}
    ${!(mine && open) && !finished && html`<${LeftWork} id=${params.id} work=${kept} />`}
    ${!open && told && html`<p>${t("结果:", "Outcome: ")}<b>${told}</b></p>`}
    ${judged && blind && mine && fields.about && html`<${Compared} about=${fields.about} outcome=${given} />`}
    ${handing && html`<${Sheet} title=${t("退回任务", "Hand the task back")} onClose=${() => setHanding(false)}>
      <${Field} label=${t("理由", "Reason")}><textarea rows="3" maxlength="1000" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea><//>
      <${Button} kind="danger" busy=${busy} disabled=${!reason.trim()} onClick=${async () => {
        if (!await command("hand_back", { reason: reason.trim() }, t("已退回", "Handed back"))) return; // the reason still stands here
        setHanding(false);
        leaveFor("/tasks");
      }}>${t("确认退回", "Hand back")}<//><//>`}<//>`;
}
