// What others do meanwhile: their word stands beside what was typed here, and nothing that was typed is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_finding, SCOPE } from "./devices.js";
import { a_phone, a_zone, pulled, REFERENCE, row, screen, shown, until } from "./screen.js";

const FINDING = "22222222-0000-7000-8000-000000000001", TASK = "44444444-0000-7000-8000-000000000001", CONFLICT = "55555555-0000-7000-8000-000000000001";
const [Conflicts, Find, Finding, Inspect, Sync, Task, Today] = await Promise.all(["conflicts", "find", "finding", "inspect", "sync", "task", "today"].map(screen));

const a_case = (version, fields) => row("finding", FINDING, { ...a_finding(), status: "reported", inspector_id: "me", ...fields }, version);
const a_task = (version, fields) => row("task", TASK, { kind: "verify", title: "核实", assignee: "me", status: "accepted", ...fields }, version);
const forget = (type, id) => ({ op: "forget", type, id });
/** What the server answered to the newest that was made here. */
const answered = async (device, outcome, problem = null) => {
  const { n, id, record_id } = (await device.outbox({ all: true })).at(-1);
  await device.parts.store.write((t) => device.parts.outbox.receive(t, [{ n, id, record_id, outcome, version: 1, conflicts: [], problem }]));
};
const a_draft = (fields = {}) => ({ fields: { text: "占道", address: "武宜路 1 号" }, position: null, pinned: false, scope: null, observed_at: "2026-11-27T01:00:00.000Z", ...fields });
const a_conflict = (version, fields) => row("conflict", CONFLICT, { record_type: "finding", record_id: FINDING, kind: "value", field: "text", base: "原", theirs: "他", mine: "我",
  winner: "mine", state: "open", opened_at: "2026-11-27T01:00:00.000Z", mine_by: { user_id: "me" }, theirs_by: { user_id: "other" }, ...fields }, version);

test("what was typed for a task that was withdrawn stays until it is not needed", async () => {
  const device = await a_phone(a_task(2)), page = await shown(device, Task, { params: { id: TASK } });
  await page.write("说明", "门口无人");
  await page.choose("不属实");
  await until(async () => (await device.kept(`task-${TASK}`))?.outcome);
  await pulled(device, forget("task", TASK));
  await device.parts.store.write((t) => device.parts.rows.dropForgotten(t));
  assert.match((await page.see("div", "没有送出")).textContent, /不属实 .*门口无人/);
  const today = await shown(device, Today, {});
  assert.equal((await today.see("a", "已改派")).getAttribute("href"), `#/tasks/${TASK}`);
  await page.tap("不再需要");
  await until(() => !today.find("a", "已改派"));
  await until(() => !page.find("div", "没有送出"));

  await pulled(device, a_task(3, { assignee: "other" }));
  assert.ok(!page.find("div", "没有送出"));
});

test("a third value that was being written when others settled the conflict is shown until it was seen", async () => {
  const device = await a_phone(a_case(3), a_conflict(1)), page = await shown(device, Conflicts, { params: {} });
  await page.tap("另写一个值");
  await page.write("描述", "两家都占道");
  await until(async () => (await device.kept("conflicts-third"))?.[CONFLICT]);
  await pulled(device, a_conflict(2, { state: "resolved" }));
  await page.see("p", "两家都占道");
  await page.tap("知道了");
  await until(() => !page.find("p", "两家都占道"));
});

test("a third value is kept as it was typed last, on a slow phone too, and is kept no longer when it is emptied", async () => {
  const device = await a_phone(a_case(3), a_conflict(1)), page = await shown(device, Conflicts, { params: {} }), { store } = device.parts, write = store.write.bind(store);
  await device.keep("conflicts-third", { other: "别处写的" });
  await page.tap("另写一个值");
  store.write = async (...given) => (await new Promise((done) => setTimeout(done, given[0].toString().includes("set") ? 60 : 0)), write(...given));
  const field = await page.input("描述");
  const typed = ["两", "两家", "两家都"].map((value) => field.does("input", { value }));
  await Promise.all(typed);
  await until(async () => (await device.kept("conflicts-third"))?.[CONFLICT] === "两家都");
  await page.write("描述", "");
  await until(async () => JSON.stringify(await device.kept("conflicts-third")) === '{"other":"别处写的"}');
});

test("an open edit says what the record was changed to, and is not dropped by a tap beside it", async () => {
  const device = await a_phone(a_case(3)), page = await shown(device, Finding, { params: { id: FINDING } });
  await page.tap("修改");
  await page.write("说明", "改过");
  await pulled(device, a_case(4, { text: "主管写的", severity: "minor" }));
  assert.match((await page.see("div", "已被改为")).textContent, /主管写的/);
  const cross = await until(() => page.all("button").find((one) => one.getAttribute("aria-label") === "关闭"));
  await cross.does("click");
  await page.tap("接着改");
  assert.equal((await page.input("说明")).value, "改过");
  await cross.does("click");
  await page.tap("放弃修改");
  await until(async () => !(await device.drafts()).length);
});

test("a task that somebody else ended first says that one's own step was not taken, and offers no choice that cannot be", async () => {
  const device = await a_phone(a_task(2)), page = await shown(device, Task, { params: { id: TASK } });
  await device.command("task", TASK, "finish", { outcome: "不属实", note: "门口无人" }, { status: "accepted" });
  await answered(device, "conflicted");
  const step = { kind: "command", record_type: "task", record_id: TASK, field: "command", base: { status: "accepted" }, theirs: { status: "finished" }, winner: "theirs" };
  await pulled(device, a_task(3, { status: "finished", outcome: { outcome: "属实" } }),
    a_conflict(1, { ...step, mine: { command: "finish", args: { outcome: "不属实" } } }));
  await device.parts.store.write((t) => device.parts.outbox.closeApplied(t));
  await pulled(device);
  assert.match((await page.see("div", "没有采用")).textContent, /完成 · 不属实 · 门口无人/);
  assert.equal((await page.see("a", "去看看")).getAttribute("href"), `#/conflicts/${TASK}`);
  await page.see("b", "属实");

  const conflicts = await shown(device, Conflicts, { params: {} });
  await conflicts.see("p", "已不能再做这一步");
  assert.equal(conflicts.all("button", "用这个").length, 1);
  await pulled(device, a_task(4));
  await until(() => conflicts.all("button", "用这个").length === 2);
});

test("each step of a task that came too late is told with what was said in it, and its conflicts are one note", async () => {
  const device = await a_phone(a_task(2, { status: "open" })), page = await shown(device, Task, { params: { id: TASK } });
  await device.command("task", TASK, "accept", {}, { status: "open" });
  await answered(device, "conflicted");
  await device.command("task", TASK, "hand_back", { reason: "店已关门" }, { status: "accepted" });
  await answered(device, "conflicted");
  const step = { kind: "command", record_type: "task", record_id: TASK, field: "command", base: { status: "open" }, theirs: { status: "finished" }, winner: "theirs" };
  await pulled(device, a_task(3, { status: "finished", outcome: { outcome: "属实" } }), a_conflict(1, { ...step, mine: { command: "accept", args: {} } }),
    { ...a_conflict(1, { ...step, mine: { command: "hand_back", args: { reason: "店已关门" } } }), id: FINDING });
  assert.match((await page.see("div", "没有采用")).textContent, /接受;退回 · 店已关门/);
  assert.equal(page.all("a", "去看看").length, 1);
  const conflicts = await shown(device, Conflicts, { params: { id: TASK } });
  await until(() => conflicts.all("article").length === 2);
});

test("a choice that came after others had settled the conflict is over, and nothing that was stopped", async () => {
  const device = await a_phone(a_case(3), a_conflict(1)), page = await shown(device, Conflicts, { params: {} });
  await page.tap("用这个");
  await page.see("div", "等待送达");
  await answered(device, "quarantined", { code: "state_moved", title: "状态已变化", action: "resnapshot" });
  const today = await shown(device, Today, {}), sync = await shown(device, Sync, {});
  await today.see("a", "1 处冲突待看");
  await sync.see("small", "您的选择没有用上");
  assert.ok(!today.find("a", "未采纳"));
});

test("a returned finding says so and why, and a photo that was added to it since counts for the task", async () => {
  const photo = (id, role) => row("evidence", id, { role, sha256: id, about: { type: "finding", id: FINDING }, captured_at: "2026-11-27T01:00:00.000Z" });
  const OLD = "66666666-0000-7000-8000-000000000001", OTHER = "66666666-0000-7000-8000-000000000002";
  const device = await a_phone(a_case(3), photo(OLD, "close"), photo(OTHER, "scene"),
    { ...row("decision", CONFLICT, { about: { type: "finding", id: FINDING }, decision: "return" }), updated_at: "2026-11-27T02:00:00.000Z" },
    a_task(1, { kind: "retake", status: "open", about: { type: "finding", id: FINDING }, note: "模糊不清", photos: [{ evidence_id: OLD, reason: "看不清店招", role: "close" }] }));
  const page = await shown(device, Finding, { params: { id: FINDING } }), task = await shown(device, Task, { params: { id: TASK } });
  assert.match((await page.see("div", "审核退回")).textContent, /模糊不清 · 看不清店招/);
  assert.equal((await page.see("a", "去补拍")).getAttribute("href"), `#/tasks/${TASK}`);
  await task.see("p", "还没拍齐");
  const about = { about: { type: "finding", id: FINDING }, scope: SCOPE };
  await device.capture(new Blob(["1"]), { ...about, role: "scene" });
  const again = await device.capture(new Blob(["2"]), { ...about, role: "close" });
  await task.tap("完成");
  const [{ body }] = await until(async () => (await device.outbox({ record_id: TASK })).length && device.outbox({ record_id: TASK }));
  assert.deepEqual(body.command.args.photos, [again]);
  await until(() => !page.find("div", "审核退回"));
});

test("a draft stays with its photos where they were taken, though that is not this person's area any more", async () => {
  const device = await a_phone(), id = device.newId(), ELSEWHERE = "320412101";
  await device.saveDraft(id, "finding", a_draft());
  await device.capture(new Blob(["1"]), { about: { type: "finding", id }, role: "scene", scope: SCOPE });
  await answered(device, "held");
  await device.parts.store.write((t) => void t.set("scopes", [ELSEWHERE]));
  await device.know();
  const page = await shown(device, Find, { params: { draft: id } });
  await page.see("div", "现在已不是您的责任范围");
  await (await until(() => page.all("button").find((one) => one.textContent === "保存"))).does("click");
  const made = await until(async () => (await device.outbox({ record_id: id })).length && device.outbox());
  assert.deepEqual(made.map(({ type, body }) => [type, body.scope]), [["evidence", SCOPE], ["finding", SCOPE]]);
});

test("people read names, not ids and codes", async () => {
  const ZONE = "11111111-0000-7000-8000-000000000009", TWIN = "22222222-0000-7000-8000-000000000002", VISIT = "77777777-0000-7000-8000-000000000001";
  const { code, scheme, name } = REFERENCE.classes.find((one) => one.code.length === 4);
  const device = await a_phone({ ...a_zone(ZONE, "望江茶馆") }, a_case(3, { text: "", class_scheme: scheme, class_code: code, duplicates: [TWIN] }),
    row("finding", TWIN, { ...a_finding(), text: "门口堆物" }), a_task(1, { about: { type: "finding", id: FINDING } }),
    row("inspection", VISIT, { zone_id: ZONE, officers: ["me", "李四"], answers: {}, started_at: "2026-11-27T01:00:00.000Z" }));
  const finding = await shown(device, Finding, { params: { id: FINDING } }), task = await shown(device, Task, { params: { id: TASK } });
  const visit = await shown(device, Inspect, { params: { draft: VISIT } });
  await finding.see("a", "门口堆物");
  assert.match((await until(() => task.all("button").find((one) => one.getAttribute("class") === "about"))).textContent, new RegExp(name));
  assert.match((await visit.see("dl")).textContent, /张三、李四 责任区 望江茶馆/);
});

test("photos that wait for their finding are told before the server gives up, and are never called delivered after it did", async () => {
  const device = await a_phone(), id = device.newId(), { now } = Date, { clock } = device.parts.outbox;
  await device.saveDraft(id, "finding", a_draft());
  device.parts.outbox.clock = () => now() - 3.5 * 86_400_000;
  await device.capture(new Blob(["1"]), { about: { type: "finding", id }, role: "scene", scope: SCOPE });
  device.parts.outbox.clock = clock;
  const today = await shown(device, Today, {});
  assert.ok(!today.find("small", "须在")); // the server does not wait for it yet
  await answered(device, "held");
  await today.see("small", "须在");

  await device.parts.files.note((await device.photos())[0].sha256, { state: "refused", problem: "media_type_refused" });
  const sync = await shown(device, Sync, {}), ways = () => sync.all("a", "问题 · 占道").map((one) => one.getAttribute("href"));
  await until(() => ways().join() === `#/find/${id}`);

  const { n, id: mutation } = (await device.outbox())[0];
  await device.parts.store.write((t) => device.parts.outbox.settle(t, [{ n, id: mutation, outcome: "quarantined", problem: { code: "record_missing" } }]));
  await today.see("small", "请主管放行");
  await until(() => ways().join() === `#/find/${id},#/find/${id}`);
  const find = await shown(device, Find, { params: { draft: id } });
  await find.see("small", "未采纳");
  await (await until(() => find.all("button").find((one) => one.textContent === "保存"))).does("click");
  await until(async () => (await device.records("finding")).length);
  await device.parts.files.note((await device.photos())[0].sha256, { state: "stored" });
  const page = await shown(device, Finding, { params: { id } });
  await page.see("small", "未采纳");
  await until(() => ways().every((one) => one === `#/findings/${id}`));
  await page.see("b", "1 张照片未采纳");
  assert.ok(!page.find("small", "待核验"));
});
