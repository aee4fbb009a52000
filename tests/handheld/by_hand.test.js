// What hands do to forms beside filling them in: emptying a note, tapping twice, walking on before a thing is kept.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { a_finding, SCOPE } from "./devices.js";
import { a_phone, a_zone, pulled, REFERENCE, rest, row, screen, shown, until } from "./screen.js";

const { goOnDuty, usePatrol } = await import("../../server/handheld/app/parts/duty.js");
const { BEGUN } = await import("../../server/handheld/app/parts/embargo.js");
const { html } = await import("../../server/handheld/app/parts/html.js");
const { day } = await import("../../server/handheld/app/parts/time.js");
const { Warnings } = await import("../../server/handheld/app/parts/warnings.js");
const [Conflicts, Enforcement, Find, Finding, Inspect, Letter, Register, Settings, Task] = await Promise.all(["conflicts", "enforcement", "find", "finding", "inspect", "letter", "register", "settings", "task"].map(screen));

const ZONE = "11111111-0000-7000-8000-000000000009", FINDING = "22222222-0000-7000-8000-000000000001", TASK = "44444444-0000-7000-8000-000000000001";
const PNG = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1])]);

/** Where the phone is, told to whoever watches. */
function walk_to(longitude) {
  for (const told of watching) told({ timestamp: Date.now(), coords: { longitude, latitude: 31.7, accuracy: 5 } });
  return rest();
}
const watching = new Set();
Object.assign(navigator, { geolocation: { watchPosition: (told) => (watching.add(told), told), clearWatch: (told) => watching.delete(told) } });

test("a note of the register that others changed since is shown as it is by now, and changed on that", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Register, { params: { zone: ZONE } });
  const note = await page.input("备注");
  await page.write("备注", "货架占道");
  await note.does("change"); // the field is left
  await page.tap("全部合格");
  const [{ id, fields }] = await until(async () => (await device.records("register_entry")).length && device.records("register_entry"));
  assert.equal(fields.note, "货架占道");
  await device.edit("register_entry", id, { set: { note: "办公室改过" }, base: 0 }); // as another tab does
  await until(() => note.value === "办公室改过");
});

test("the earlier photo that is to be matched is never one that was taken for this task", async () => {
  const about = { type: "finding", id: FINDING }, device = await a_phone(row("finding", FINDING, { ...a_finding(), status: "reported" }),
    row("task", TASK, { kind: "verify", title: "核实", assignee: "me", status: "accepted", about }));
  const page = await shown(device, Task, { params: { id: TASK } }), id = device.newId();
  await device.keep(`task-${TASK}`, { photos: [{ id, role: "scene" }] });
  await device.capture(PNG, { id, about, role: "scene", scope: SCOPE });
  await page.see("li", "全景");
  await rest();
  assert.ok(!page.find("p", "同一角度"));
});

/** An inspection whose first item failed, with this answer. */
async function an_inspection(answer) {
  const device = await a_phone(a_zone(ZONE)), list = REFERENCE.checklists.find((one) => one.id === "zone-daily");
  const id = await device.create("inspection", { started_at: "2026-11-27T01:00:00.000Z" }, SCOPE);
  await device.saveDraft(id, "inspection", { checklist: `${list.id}/${list.version}`, name: "日查", scope: SCOPE, zone_id: ZONE, started_at: "2026-11-27T01:00:00.000Z",
    answers: { [list.items[0].id]: { value: "pass", ...answer } }, officers: ["me"] });
  return { device, id, page: await shown(device, Inspect, { params: { draft: id } }) };
}

test("a note that is emptied to be written anew stays under the finger", async () => {
  const { page } = await an_inspection({ note: "写错了" });
  await page.write("备注", "");
  await rest();
  await page.write("备注", "对的");
  assert.equal((await page.input("备注")).value, "对的");
});

test("a form is given up once, however often that is tapped", async () => {
  const { history } = globalThis, gone = [];
  const { device, page } = await an_inspection({});
  await page.tap("放弃这次检查");
  await page.write("理由", "来错了");
  globalThis.history = { length: 2, state: { from: "/inspect" }, back: () => gone.push("back"), replaceState() {} };
  try {
    const give_up = await page.see("button", "确认放弃"), { store } = device.parts, write = store.write.bind(store);
    store.write = async (...given) => (await rest(), write(...given)); // a slow phone
    const taps = [give_up.does("click")];
    await rest(20);
    if (!give_up.disabled) taps.push(give_up.does("click"));
    await Promise.all(taps);
    await until(async () => !(await device.drafts()).length);
    await rest();
  } finally {
    globalThis.history = history;
  }
  assert.deepEqual(gone, ["back"]);
});

test("a step was served where it was served, not where it is kept", async () => {
  const device = await a_phone(), id = device.newId();
  await device.saveDraft(id, "enforcement", { kind: "persuade", finding_id: "", class_code: "", zone_id: "", scope: SCOPE, party_name: "王老板", offence_code: "",
    facts: "占道", officers: ["me"], how: "", reason: "", witness: "", due: "2026-12-01T10:00" });
  const page = await shown(device, Enforcement, { params: { draft: id } });
  await walk_to(119.95);
  await page.choose("已口头告知");
  await walk_to(119.99);
  await page.tap("存并封存");
  const [{ fields }] = await until(async () => (await device.records("enforcement")).length && device.records("enforcement"));
  assert.equal(fields.served.position?.lon, 119.95);
});

test("a letter was refused when that was chosen, not when it is kept", async () => {
  const device = await a_phone(a_zone(ZONE)), page = await shown(device, Letter, { params: { zone: ZONE } });
  await page.tap("为此责任区签订");
  const [{ id }] = await until(async () => (await device.drafts()).length && device.drafts());
  const form = await shown(device, Letter, { params: { draft: id } });
  await form.tap("已全部宣读");
  await form.choose("拒签");
  const chosen = new Date().toISOString();
  await form.write("拒签情况", "不愿意签");
  await form.write("见证人", "王邻居");
  await form.tap("存为拒签");
  const [{ fields }] = await until(async () => (await device.records("letter")).length && device.records("letter"));
  assert.ok(fields.refused.at <= chosen, `${fields.refused.at} > ${chosen}`);
});

test("a letter ends on the same day, whatever zone the phone is set to", async () => {
  const { TZ } = process.env;
  mock.timers.enable({ apis: ["Date"], now: Date.parse("2028-03-01T02:00:00.000Z") });
  process.env.TZ = "America/Los_Angeles"; // yesterday there, at the end of a February
  try {
    const device = await a_phone(a_zone(ZONE)), page = await shown(device, Letter, { params: { zone: ZONE } });
    await page.tap("为此责任区签订");
    const [{ value }] = await until(async () => (await device.drafts()).length && device.drafts());
    assert.equal(REFERENCE.visits.letter_months, 12);
    assert.deepEqual([value.from, value.to], ["2028-03-01", "2029-02-28"]);
  } finally {
    mock.timers.reset();
    if (TZ) process.env.TZ = TZ;
    else delete process.env.TZ;
  }
});

test("a serial may have blanks within it, and none around it", async () => {
  const { device, id, page } = await an_inspection({}), item = REFERENCE.checklists.find((one) => one.id === "zone-daily").items.find((one) => one.evidence === "serial_scan");
  const serial = await page.input("贴花编号");
  for (const value of ["A", "A ", "A 1", "A 1 "]) await serial.does("input", { value });
  await until(async () => (await device.drafts()).find((one) => one.id === id)?.value.answers[item.id]?.serial === "A 1 ");
});

test("what is typed for a task until it is finished does not begin it again", async () => {
  const device = await a_phone(row("task", TASK, { kind: "other", title: "看看", assignee: "me", status: "accepted" })), page = await shown(device, Task, { params: { id: TASK } });
  await page.choose("已完成");
  await until(async () => (await device.kept(`task-${TASK}`))?.outcome);
  await device.keep(BEGUN, []);
  const kept = device.kept.bind(device), finish = await page.see("button", "完成"), note = await page.input("说明");
  device.kept = async (...given) => (await rest(given[0] === `task-${TASK}` ? 400 : 0), kept(...given)); // a slow phone
  await Promise.all([note.does("input", { value: "看过了" }), finish.does("click")]);
  await rest(1200);
  device.kept = kept;
  assert.deepEqual(await device.kept(BEGUN, []), []);
});

test("what was tapped for a task stands there though the work is read again before that is kept", async () => {
  const device = await a_phone(row("task", TASK, { kind: "other", title: "看看", assignee: "me", status: "open" })), page = await shown(device, Task, { params: { id: TASK } });
  const { keep } = device;
  device.keep = async (...given) => (await rest(700), keep.apply(device, given)); // a slow phone
  const tap = page.choose("已完成");
  await page.see("button", "完成");
  await pulled(device, row("finding", FINDING, a_finding()));
  const stood = [];
  for (let times = 0; times < 20; times += 1) {
    await rest(50);
    stood.push(Boolean(page.find("button", "完成")));
  }
  await tap;
  assert.ok(stood.every(Boolean), stood.join());
});

test("no photo is taken for a draft that could not be kept", async () => {
  const device = await a_phone(), page = await shown(device, Find, { params: { draft: device.newId() } });
  device.saveDraft = async () => { throw new DOMException("full", "QuotaExceededError"); };
  await page.tap("拍照");
  await page.see("div", "存储已满");
  assert.ok(!page.find("dialog"));
});

test("areas are told by their names", async () => {
  const page = await shown(await a_phone(), Settings, {});
  await page.see("dd", REFERENCE.divisions[SCOPE]);
});

test("what hinders a track is told as what it is: a full disk is not mended under the open sky", async () => {
  const device = await a_phone();
  await goOnDuty(device, SCOPE);
  const page = await shown(device, () => {
    usePatrol();
    return html`<${Warnings} />`;
  }, {});
  await until(() => watching.size);
  device.parts.store.write = async () => { throw new DOMException("full", "QuotaExceededError"); };
  await walk_to(119.95);
  assert.match((await page.see("div", "轨迹没有在记录")).textContent, /存储已满/);
});

test("a zone is chosen once, however often it is tapped, and a choice that was made is not said to be taken back", async () => {
  const zone = { zone_id: ZONE, decision: "ambiguous", method: "person", candidates: [{ zone_id: ZONE, name: "某店", method: "position", probability: 0.5, inside: true, distance_m: 0 }] };
  const device = await a_phone(a_zone(ZONE), row("finding", FINDING, { ...a_finding(), status: "reported", inspector_id: "me", zone }));
  const page = await shown(device, Finding, { params: { id: FINDING } }), { store } = device.parts, write = store.write.bind(store);
  await page.tap("认定责任区");
  const first = await page.see("button", "某店"), taps = [];
  assert.ok(!page.find("button", "撤销选择"));
  store.write = async (...given) => (await rest(), write(...given)); // a slow phone
  for (let times = 0; times < 2; times += 1) {
    if (!first.disabled) taps.push(first.does("click"));
    await rest(20);
  }
  await Promise.all(taps);
  await until(async () => (await device.outbox()).length);
  await rest(300);
  assert.equal((await device.outbox()).length, 1);
});

test("a reply is told as the step that it was", async () => {
  const device = await a_phone(row("finding", FINDING, { ...a_finding(), status: "handling" })), page = await shown(device, Finding, { params: { id: FINDING } });
  await device.command("finding", FINDING, "handle", {}, { status: "handling" });
  await page.see("li", "处置完成,反馈");
});

/** Tap it, and once more when it was written down, before the screen has heard of that; gives how often it was made. */
async function tapped_twice(device, page, words) {
  const button = await page.see("button", words), outbox = device.outbox.bind(device);
  device.outbox = async (...given) => (await rest(300), outbox(...given)); // a slow phone
  const taps = [button.does("click")];
  await until(async () => (await outbox()).length);
  await rest(100);
  if (!button.disabled) taps.push(button.does("click"));
  await Promise.all(taps);
  await rest(500);
  return (await outbox()).length;
}

test("a step of a task is taken once, though the screen is slow to hear of it, and its next step can be taken then", async () => {
  const device = await a_phone(row("task", TASK, { kind: "other", title: "看看", assignee: "me", status: "open" }));
  const page = await shown(device, Task, { params: { id: TASK } });
  assert.equal(await tapped_twice(device, page, "接收"), 1);
  const busy = (/** @type {string} */ words) => page.find("button", words)?.getAttribute("aria-busy");
  await until(() => page.find("button", "完成") && !busy("完成"));
  await page.choose("已完成");
  await page.see("button", "完成"); // its kind asks for no photo
});

test("a conflict is settled once, though the screen is slow to hear of it", async () => {
  const conflict = { record_type: "finding", record_id: FINDING, kind: "value", field: "text", base: "原", theirs: "他", mine: "我", winner: "mine", state: "open",
    opened_at: "2026-11-27T01:00:00.000Z", mine_by: { user_id: "me" }, theirs_by: { user_id: "other" } };
  const device = await a_phone(row("finding", FINDING, a_finding()), row("conflict", TASK, conflict));
  assert.equal(await tapped_twice(device, await shown(device, Conflicts, { params: {} }), "用这个"), 1);
});

test("the same picture of a code can be chosen again", async () => {
  const { Scan } = await import("../../server/handheld/app/parts/scan.js"), page = await shown(await a_phone(), Scan, { title: "扫", onRead() {}, onClose() {} });
  globalThis.createImageBitmap = async () => { throw new DOMException("no picture", "InvalidStateError"); };
  const input = await page.input("用照片识别");
  await input.does("change", { files: [PNG], value: "C:\\code.jpg" });
  await page.see("div", "没有读到二维码");
  assert.equal(input.value, "");
});
