// What forms do with what is typed, tapped and pulled: nothing is lost, nothing made twice, nothing changed behind a party's back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_finding, SCOPE } from "./devices.js";
import { a_phone, a_zone, pulled, REFERENCE, reopened, row, screen, shown, until } from "./screen.js";

const ZONE = "11111111-0000-7000-8000-000000000009", FINDING = "22222222-0000-7000-8000-000000000001";
const TASK = "44444444-0000-7000-8000-000000000001", ENTRY = "33333333-0000-7000-8000-000000000001", GONE = "11111111-0000-7000-8000-000000000010";
const PNG = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1])]);

const { day } = await import("../../server/handheld/app/parts/time.js");
const { Thumb } = await import("../../server/handheld/app/parts/page.js");
const { madeOf } = await import("../../server/handheld/app/forms/named.js");
const { useZones } = await import("../../server/handheld/app/parts/zone.js");
const [Letter, Enforcement, Inspect, Find, Finding, Findings, Register, Task, Today] = await Promise.all(
  ["letter", "enforcement", "inspect", "find", "finding", "findings", "register", "task", "today"].map(screen));

/** The records of a type, as soon as there are any. */
const made = (device, type) => until(async () => (await device.records(type)).length && device.records(type));

/** A letter that lacks only its signature or the words of a refusal. */
async function a_letter(device, form) {
  const id = device.newId();
  await device.saveDraft(id, "letter", { zone_id: ZONE, name: "某店", scope: SCOPE, read: Object.fromEntries(REFERENCE.duties.map((one) => [one.duty, true])),
    from: "2026-11-27", to: "2027-11-26", sticker_serial: "", signer: "王老板", reason: "", witness: "", ...form });
  return id;
}

test("a picture of a letter is not its signature, whatever its format, and a refusal stays one", async () => {
  const device = await a_phone(a_zone(ZONE)), id = await a_letter(device, { how: "refused", reason: "不肯签", witness: "李四" });
  const page = await shown(device, Letter, { params: { draft: id } });
  await device.capture(PNG, { about: { type: "letter", id }, role: "document", scope: SCOPE });
  await page.see("li", "文书"); // it is among the photos
  assert.equal((await device.drafts())[0].value.how, "refused");
  await page.tap("存为拒签");
  const [{ fields }] = await made(device, "letter");
  assert.deepEqual([fields.refused.reason, fields.signed_at, fields.signature], ["不肯签", undefined, undefined]);
});

test("a signature that was made before the app was killed is found again by the id that its form had named", async () => {
  const device = await a_phone(a_zone(ZONE)), signing = device.newId(), id = await a_letter(device, { how: "signed", signing });
  await device.capture(PNG, { about: { type: "letter", id }, role: "document", scope: SCOPE });
  await device.capture(PNG, { id: signing, about: { type: "letter", id }, role: "document", scope: SCOPE, note: "签名:王老板", captured_at: "2026-11-27T01:00:00.000Z" });
  const page = await shown(device, Letter, { params: { draft: id } });
  await page.tap("存为已签");
  const [{ fields }] = await made(device, "letter");
  assert.deepEqual([fields.signature.evidence_id, fields.signed_at], [signing, "2026-11-27T01:00:00.000Z"]);
});

test("a letter is signed by somebody, and says that its zone has one that is good", async () => {
  const other = row("letter", FINDING, { zone_id: ZONE, signed_at: "2026-11-01T01:00:00.000Z", period: { from: "2026-11-01", to: "2999-10-31" } });
  const device = await a_phone(a_zone(ZONE), other), id = await a_letter(device, { how: "signed", signer: " " });
  const page = await shown(device, Letter, { params: { draft: id } });
  await page.see("p", "请写明责任人或签名人");
  assert.equal((await page.see("a", "看那一份")).getAttribute("href"), `#/letter/${FINDING}`);
  assert.ok(!page.find("canvas"));
  await page.write("签名人", "王老板");
  await page.see("canvas");
});

test("an officer whose name stands in the field is there, whether or not it was added", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Inspect, { params: { zone: ZONE } });
  for (const typed of ["李", "李四"]) await page.write("同行人员", typed);
  await page.tap("开始检查");
  const [{ fields }] = await made(device, "inspection");
  assert.deepEqual(fields.officers, ["me", "李四"]);
});

test("the words of an order stand as they were when it was served; who changes them serves it anew", async () => {
  const device = await a_phone(), id = device.newId();
  await device.saveDraft(id, "enforcement", { kind: "order_now", finding_id: "", class_code: "", zone_id: "", scope: SCOPE, party_name: "王老板", offence_code: "",
    facts: "占道", officers: ["me", "李四"], how: "", reason: "", witness: "", due: "2026-12-01T10:00" });
  const page = await shown(device, Enforcement, { params: { draft: id } });
  await page.choose("拒签");
  const locked = () => page.find("fieldset", "事实").disabled;
  await until(locked);
  const first = (await device.drafts())[0].value.served_at;
  await page.tap("改内容");
  await until(() => !locked());
  await page.write("事实", "占道、且辱骂");
  await page.choose("拒签");
  await page.write("拒签情况", "拒绝");
  await page.write("见证人", "赵");
  await page.tap("存并封存");
  const [{ fields: { served, facts } }] = await made(device, "enforcement");
  assert.ok(served.at > first && served.text.includes("占道、且辱骂") && facts === "占道、且辱骂", JSON.stringify(served));
});

test("who keeps a form goes back to where it was begun, so that this lies behind no second time", async () => {
  const { history } = globalThis, gone = [], way = { length: 2, state: null, back: () => gone.push("back"), replaceState: (state, _, path) => path && gone.push(path) };
  try {
    for (const from of ["/letter", "/"]) {
      const device = await a_phone(a_zone(ZONE)), page = await shown(device, Letter, { params: { draft: await a_letter(device, { how: "refused", reason: "不肯签", witness: "李四" }) } });
      globalThis.history = { ...way, state: { from } };
      await page.tap("存为拒签");
      await until(() => gone.length === (from === "/" ? 2 : 1));
    }
  } finally {
    globalThis.history = history;
  }
  assert.deepEqual(gone, ["back", "#/letter"]);
});

/** The phone is killed after that many writings from now: what comes later is not on disk. */
function killed_after(device, writings) {
  const { store } = device.parts, write = store.write.bind(store);
  store.write = async (...given) => {
    if (writings-- > 0) return write(...given);
    throw new DOMException("killed", "QuotaExceededError");
  };
}

test("an inspection and its form begin in one writing, and end in one", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Inspect, { params: { zone: ZONE } });
  killed_after(device, 1);
  await page.tap("开始检查");
  const [draft] = await until(async () => (await device.drafts()).length && device.drafts());
  assert.deepEqual((await device.records("inspection")).map((one) => [one.id, one.fields.zone_id]), [[draft.id, ZONE]]);

  const again = await shown(await reopened(device), Inspect, { params: { draft: draft.id } });
  await again.tap("结束检查");
  killed_after(again.device, 1);
  const end = await again.see("button", "仍要结束");
  await Promise.all([end.does("click"), end.does("click")]);
  await until(async () => !(await again.device.drafts()).length);
  assert.deepEqual((await again.device.outbox({ record_id: draft.id })).map(({ body }) => [body.base, Boolean(body.set.ended_at)]), [[0, false], [0, true]]);
});

test("an edit is made once however often it is tapped, and its form ends with it", async () => {
  const device = await a_phone(row("finding", FINDING, { ...a_finding(), status: "reported", inspector_id: "me" }, 3));
  const page = await shown(device, Finding, { params: { id: FINDING } });
  await page.tap("修改");
  await page.write("说明", "改过");
  await until(async () => (await device.drafts())[0]?.value.fields.text === "改过");
  killed_after(device, 1);
  const save = await page.see("button", "保存修改");
  await Promise.all([save.does("click"), save.does("click")]);
  await until(async () => !(await device.drafts()).length);
  assert.deepEqual((await device.outbox()).map(({ body }) => [body.set, body.base]), [[{ text: "改过" }, 3]]);
});

const duties = (value) => Object.fromEntries(REFERENCE.duties.map((one) => [one.duty, value]));
const entry = (version, fields) => row("register_entry", ENTRY, { zone_id: ZONE, on: day(), duties: {}, ...fields }, version);

test("what was begun in the register is joined to a colleague's row, on no version, and nothing stays begun", async () => {
  const device = await a_phone(a_zone(ZONE)), form = `register-${day()}`;
  await device.saveDraft(form, "register", { [ZONE]: { id: device.newId(), note: "垃圾桶满", duties: { 环境卫生: "fail" } }, [GONE]: { id: device.newId(), note: "", duties: { 秩序: "fail" } } });
  const page = await shown(device, Register, { params: { zone: ZONE } });
  await pulled(device, entry(4, { duties: duties("pass"), note: "同事写的" }));
  const [{ body }] = await until(async () => (await device.outbox()).length && device.outbox());
  assert.deepEqual([body.record_id, body.base, body.set], [ENTRY, 0, { duties: { 环境卫生: "fail" }, note: "垃圾桶满" }]);
  assert.deepEqual(Object.keys((await device.drafts())[0].value), [GONE]);
  await page.see("p", "同事已登记这里");

  assert.match((await page.see("div", "其责任区已不在本机")).textContent, /秩序 不合格/);
  await page.tap("放弃");
  await until(async () => !(await device.drafts()).length);
  assert.equal((await device.outbox()).length, 1);
});

test("of two rows for one zone and day one's own is changed, and a colleague's alone only when that was asked for", async () => {
  const own = { ...entry(1, { officer: "张三", duties: duties("pass") }), id: "11111111-0000-7000-8000-000000000011" }; // before the other by its id
  const device = await a_phone(a_zone(ZONE), entry(4, { officer: "李四", duties: duties("fail") })), page = await shown(device, Register, { params: { zone: ZONE } });
  await page.see("button", "修改李四的登记");
  const locked = () => page.find("fieldset", "备注").disabled;
  assert.ok(locked());
  await page.tap("修改李四的登记");
  await until(() => !locked());

  await pulled(device, own);
  assert.match((await page.see("div", "另有一份")).textContent, /李四登记.*不合格/);
  await page.see("em", "共 2 份");
  await page.tap("不合格");
  const [{ record_id }] = await until(async () => (await device.outbox()).length && device.outbox());
  assert.equal(record_id, own.id);
});

test("a row of the register is kept and its form ended in one writing", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Register, { params: { zone: ZONE } });
  await page.tap("不合格");
  await until(async () => (await device.drafts()).length);
  killed_after(device, 1);
  await page.tap("其余");
  const [{ fields }] = await made(device, "register_entry");
  assert.deepEqual([Object.values(fields.duties).filter((one) => one === "fail").length, await device.drafts()], [1, []]);
});

test("a note is an edit of the version that was looked at when it was begun, and stays in the field until it is kept", async () => {
  const device = await a_phone(a_zone(ZONE), entry(4, { note: "" })), page = await shown(device, Register, { params: { zone: ZONE } });
  const note = await page.input("备注"), { store } = device.parts, { write } = store;
  await page.write("备注", "我写的");
  await pulled(device, entry(5, { note: "同事刚写的" }));
  store.write = async () => { throw new DOMException("full", "QuotaExceededError"); };
  await note.does("change");
  await page.see("p", "存储已满");
  assert.equal(note.value, "我写的");
  store.write = write;
  await note.does("change");
  await until(async () => (await device.outbox()).length);
  await pulled(device, entry(6, { note: "同事又写的" }));
  await page.write("备注", "再写");
  await note.does("change");
  await until(async () => (await device.outbox()).length === 2);
  assert.deepEqual((await device.outbox()).map(({ body }) => [body.set, body.base]), [[{ note: "我写的" }, 4], [{ note: "再写" }, 6]]);
});

test("an edit of a case that was closed meanwhile is told on the first screen and at the case, and can be given up", async () => {
  const device = await a_phone(row("finding", FINDING, { ...a_finding(), status: "closed", inspector_id: "me" }, 9));
  await device.saveDraft(`edit-${FINDING}`, "edit", { fields: { ...a_finding(), text: "半句" }, before: a_finding(), base: 3 });
  const today = await shown(device, Today, {}), page = await shown(device, Finding, { params: { id: FINDING } });
  assert.equal((await today.see("a", "半句 · 修改")).getAttribute("href"), `#/findings/${FINDING}`);
  await page.see("p", "描述 半句");
  await page.tap("放弃修改");
  await until(async () => !(await device.drafts()).length);
});

test("an inspection whose checklist is gone shows what was answered and can be given up for a reason", async () => {
  const device = await a_phone(), id = await device.create("inspection", { started_at: "2026-11-27T01:00:00.000Z" }, SCOPE);
  await device.saveDraft(id, "inspection", { checklist: "zone-daily/0", name: "日查", scope: SCOPE, answers: { 门前: { value: "fail", note: "堆物" } }, officers: ["me"] });
  const page = await shown(device, Inspect, { params: { draft: id } });
  await page.see("li", "不合格 · 堆物");
  await page.tap("放弃这次检查");
  await page.write("理由", "检查表已换");
  await page.tap("确认放弃");
  await until(async () => !(await device.drafts()).length);
  assert.equal(await device.get("inspection", id), null);
});

test("what could not be kept is said, and what was typed for it stands", async () => {
  const device = await a_phone(row("task", TASK, { kind: "verify", title: "核实", assignee: "me", status: "accepted" })), page = await shown(device, Task, { params: { id: TASK } });
  await page.tap("退回");
  await page.write("理由", "不归本路段");
  killed_after(device, 0);
  await page.tap("确认退回");
  await page.see("p", "存储已满");
  assert.equal((await page.input("理由")).value, "不归本路段");

  const findings = await shown(device, Findings, {});
  await findings.tap("我报的");
  await findings.see("p", "存储已满");
});

test("what a form had no room for is kept as soon as there is some, and is said to be kept", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Find, { params: { draft: GONE } }), { write } = device.parts.store;
  killed_after(device, 0);
  await page.write("看到了什么", "纸箱堆在门口");
  await page.see("div", "存储已满");
  device.parts.store.write = write;
  await device.capture(PNG, { about: { type: "finding", id: GONE }, role: "scene", scope: SCOPE });
  await until(() => !page.find("div", "存储已满"));
  assert.equal((await device.drafts())[0].value.fields.text, "纸箱堆在门口");
});

test("zones are read again though the clock was put back", async () => {
  const device = await a_phone(a_zone(ZONE)), { now } = Date, seen = [];
  const See = () => void seen.push(useZones()?.zones.length);
  Date.now = () => now() + 86_400_000;
  try {
    await shown(device, See, {});
  } finally {
    Date.now = now;
  }
  await pulled(device, a_zone(GONE));
  await until(() => seen.at(-1) === 2);
});

test("the store is not asked for what is known, nor while something is only being sent", async () => {
  const device = await a_phone(), id = await device.create("finding", a_finding(), SCOPE), asked = { outbox: 0, thumb: 0 };
  for (const name of ["outbox", "thumb"]) {
    const ask = device[name].bind(device);
    device[name] = (...given) => (asked[name] += 1, ask(...given));
  }
  for (let times = 0; times < 3; times += 1) assert.deepEqual([...await madeOf(device, [id])], [id]);
  await shown(device, Thumb, { sha256: "a".repeat(64) });
  const { thumb } = asked; // news of what was created above may still come
  for (let times = 0; times < 3; times += 1) for (const listener of device.listeners) listener(false);
  assert.deepEqual(asked, { outbox: 1, thumb });
});
