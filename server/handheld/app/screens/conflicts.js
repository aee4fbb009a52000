// Conflicts as the field sees them: both values side by side, with whose and when; chosen here or left to the office.

import { fieldWords, takesThird, valueWords } from "../forms/values.js";
import { useClasses } from "../parts/classes.js";
import { changeKept, useAsked, useDevice, useKept, useOutbox, useRecord, useRecords } from "../parts/device.js";
import { useEmbargo } from "../parts/embargo.js";
import { html, useEffect, useState } from "../parts/html.js";
import { choiceWords, pathOf, typeWords } from "../parts/outbox_words.js";
import { Button, Field, Note, Page, Section, say } from "../parts/page.js";
import { go } from "../parts/router.js";
import { commandsOf, stillPossible } from "../parts/states.js";
import { ago, when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { useTyping } from "../parts/typing.js";
import { t } from "../words.js";

const TOLD = 30, THIRD = "conflicts-third";

/** @typedef {import("../device/types.d.ts").Shown} Shown */

/** @param {{params: Record<string, string>}} props */
export default function Conflicts({ params }) {
  const device = useDevice();
  const records = useRecords("conflict"), made = useOutbox();
  const events = useAsked((asked) => asked.events(), ["events"]);
  const [left, keepLeft] = useKept("conflicts-left", /** @type {string[]} */ ([]));
  const [third, keepThird] = useThird();
  const hidden = useEmbargo();
  if (!records || !made || !left || !third || !hidden) return html`<${Page} title=${t("冲突", "Conflicts")} back="/" />`;
  const wanted = records.filter((one) => !hidden.has(one.fields.record_id)).filter((one) => !params.id || one.id === params.id || one.fields.record_id === params.id);
  const open = wanted.filter((one) => one.fields.state === "open");
  const mine = open.filter((one) => side(one, "mine_by", device.user.id) || side(one, "theirs_by", device.user.id));
  const waiting = mine.filter((one) => !left.includes(one.id)), office = mine.filter((one) => left.includes(one.id));
  const others = open.length - mine.length;
  const unused = Object.entries(third).filter(([id, words]) => words && !records.some((one) => one.id === id && one.fields.state === "open"));
  const given = (/** @type {Shown} */ one) => commandsOf(one, made).at(-1)?.args;
  const settled = (events ?? []).filter((one) => one.kind === "conflict_settled" && !hidden.has(one.record_id) && (!params.id || one.conflict_id === params.id || one.record_id === params.id)).reverse();

  return html`<${Page} title=${t("冲突", "Conflicts")} back="/">
    ${unused.map(([id, words]) => html`<${Note} key=${id} kind="warn"><b>${t("这处冲突已先由他人处理,您写的没有用上:", "Others settled this conflict first; what you wrote was not used:")}</b>
      <p>${words}</p><${Button} onClick=${() => tried(() => keepThird(id, ""))}>${t("知道了", "Seen")}<//><//>`)}
    ${!waiting.length && html`<${Note} kind="ok">${t("没有需要您处理的冲突。", "No conflict waits for you.")}<//>`}
    ${waiting.map((one) => html`<${ConflictCard} key=${one.id} conflict=${one} given=${given(one)} onLeave=${() => tried(() => keepLeft([...left, one.id]))} />`)}
    ${office.length > 0 && html`<${Section} title=${t("留给办公室", "Left to the office")}>
      ${office.map((one) => html`<${ConflictCard} key=${one.id} conflict=${one} given=${given(one)} />`)}<//>`}
    ${others > 0 && html`<p class="hint">${t(`另有 ${others} 项他人的冲突,由双方或办公室处理。`, `${others} more are between others; they or the office settle them.`)}</p>`}
    ${settled.length > 0 && html`<${Section} title=${t("处理结果", "What became of it")}><ul class="told">
      ${settled.slice(0, TOLD).map((one) => html`<li key=${one.conflict_id}><${Settled} event=${one} me=${device.user} /></li>`)}</ul><//>`}<//>`;
}

/** Third values that are being written, by conflict: kept at each key, for others may settle it meanwhile.
 * @returns {[Record<string, string> | undefined, (id: string, words: string) => Promise<void>]} */
function useThird() {
  const device = useDevice(), none = /** @type {Record<string, string>} */ ({}), [third] = useKept(THIRD, none);
  return [third, (id, words) => changeKept(device, THIRD, none, ({ [id]: _, ...others }) => (words ? { ...others, [id]: words } : others))];
}

/** @param {Shown} conflict @param {string} which @param {string} user */
function side(conflict, which, user) {
  return conflict.fields[which]?.user_id === user;
}

/** @param {{conflict: Shown, given?: Record<string, any>, onLeave?: () => unknown}} props */
function ConflictCard({ conflict, given, onLeave }) {
  const device = useDevice(), classes = useClasses(), { fields } = conflict;
  const done = useOutbox({ all: true, record_id: fields.record_id });
  const record = useRecord(fields.record_type, fields.record_id);
  const [third, keepThird] = useThird(), typed = third?.[conflict.id] ?? "", [asked, setTyping] = useState(false), typing = asked || Boolean(typed);
  const field = useTyping(typed || String(fields.mine ?? ""), (value) => tried(() => keepThird(conflict.id, value)));
  const [busy, setBusy] = useState(false);
  useEffect(() => setBusy(false), [Boolean(given)]); // what was chosen stands in place of the choice
  const there = record && pathOf(record.type, record.id, record.fields);
  const words = (/** @type {any} */ value) => valueWords(fields.field, value, device.user, classes);

  /** @param {Record<string, any>} args */
  async function resolve(args) {
    setBusy(true);
    const made = await tried(() => device.command("conflict", conflict.id, "resolve", args, { state: "open" }));
    if (!made) return setBusy(false);
    if (typed) await tried(() => keepThird(conflict.id, ""));
    say(t("已选择,联网后生效", "Chosen; it counts with the next network"));
    device.syncSoon();
  }

  /** @param {"theirs" | "mine"} which */
  function column(which) {
    const by = fields[`${which}_by`], own = by?.user_id === device.user.id, stands = fields.winner === which;
    const deleted = fields.kind === "deletion" && fields[which] === true && by?.device_id === device.id
      ? done?.findLast(({ body }) => body.op === "delete") : undefined; // its reason stands where it was given
    const possible = fields.kind !== "command" || which === "theirs" || (record && stillPossible(record, fields.mine.command));
    return html`<div class="side ${stands ? "stands" : ""}">
      <h3>${own ? by?.device_id === device.id ? t("我(本机)", "Me (this device)") : t("我(另一端)", "Me (elsewhere)") : t("另一人", "Somebody else")}</h3>
      <p class="value">${words(fields[which])}${deleted && `:${deleted.body.set?.reason}`}</p>
      <small>${when(by?.made_at ?? by?.at)}${stands ? t(" · 现在生效", " · stands now") : ""}</small>
      ${!given && !possible && html`<p class="hint">${t("现在的状态下已不能再做这一步", "This step cannot be taken from the present state")}</p>`}
      ${!given && possible && html`<${Button} busy=${busy} kind=${own ? "primary" : "plain"} onClick=${() => resolve({ choice: which })}>${t("用这个", "Take this")}<//>`}</div>`;
  }

  return html`<article class="conflict">
    <h2>${typeWords(fields.record_type)} · ${fieldWords(fields.field)}</h2>
    <p class="hint">${ago(fields.opened_at)}${record?.fields.text ? ` · ${record.fields.text}` : ""}</p>
    ${there && html`<button type="button" class="link" onClick=${() => go(there)}>${t("看记录", "See the record")}</button>`}
    ${fields.kind === "command" && html`<${Note}>${t("一项操作到达时,状态已被他人改变,所以没有执行。", "When the step arrived the state had moved on, so that it was not taken.")}<//>`}
    ${!(fields.kind === "deletion" && fields.base === null) && html`<p class="hint">${t("原值:", "Before: ")}${words(fields.base)}</p>`}
    <div class="sides">${column("theirs")}${column("mine")}</div>
    ${given ? html`<${Note} kind="wait">${t("您已选择:", "You chose: ")}${words(given.choice === "value" ? given.value : fields[given.choice])} · ${t("等待送达", "waits to be delivered")}<//>`
    : html`<div class="pair">
        ${takesThird(/** @type {any} */ (fields)) && html`<${Button} onClick=${() => setTyping(!asked)}>${t("另写一个值", "Write another")}<//>`}
        ${onLeave && html`<${Button} onClick=${onLeave}>${t("留给办公室", "Leave to the office")}<//>`}</div>
      ${typing && html`<${Field} label=${fieldWords(fields.field)}><textarea rows="2" maxlength="5000" ...${field}></textarea><//>
        <${Button} kind="primary" busy=${busy} disabled=${!field.value.trim()} onClick=${() => resolve({ choice: "value",
          value: typeof fields.mine === "number" && Number.isFinite(Number(field.value)) ? Number(field.value) : field.value.trim() })}>${t("用这个值", "Take this value")}<//>`}`}
  </article>`;
}

/** @param {{event: Record<string, any>, me: {id: string, name: string}}} props */
function Settled({ event, me }) {
  const classes = useClasses();
  return html`<b>${typeWords(event.record_type)} · ${fieldWords(event.field)}</b>
    <span>${choiceWords(event.choice)}:${valueWords(event.field, event.value ?? event[event.choice], me, classes)}</span>
    <small>${event.by === me.id ? t("由我处理", "settled by me") : t("由他人处理", "settled by somebody else")} · ${when(event.at)}</small>`;
}
