// What a screen tells of a record: what it is about and where, which photos belong to it, and where it has gone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { a_finding, SCOPE } from "./devices.js";
import { a_phone, a_zone, pulled, REFERENCE, rest, row, screen, shown, until } from "./screen.js";

const [Enforcement, Finding, Inspect, Sync, Task, Tasks, Today] = await Promise.all(["enforcement", "finding", "inspect", "sync", "task", "tasks", "today"].map(screen));

const FINDING = "22222222-0000-7000-8000-000000000001", TASK = "44444444-0000-7000-8000-000000000001", VISIT = "77777777-0000-7000-8000-000000000001";
const OTHER = "44444444-0000-7000-8000-000000000002", PHOTO = "66666666-0000-7000-8000-000000000001", SECOND = "66666666-0000-7000-8000-000000000002";
const about = { type: "finding", id: FINDING };
const a_case = (fields) => row("finding", FINDING, { ...a_finding(), status: "reported", inspector_id: "me", ...fields });
const a_task = (id, fields) => row("task", id, { title: "补充取证", assignee: "me", status: "open", about, ...fields });
const a_photo = (id, of, role = "scene") => row("evidence", id, { role, sha256: id, about: of, captured_at: "2026-11-27T01:00:00.000Z" });
const LIST = REFERENCE.checklists.find((one) => one.id === "zone-daily"), [FIRST, NEXT] = LIST.items;
const a_visit = (answers, fields) => row("inspection", VISIT, { template_id: LIST.id, template_version: LIST.version, officers: ["me"],
  started_at: "2026-11-27T01:00:00.000Z", ended_at: "2026-11-27T01:20:00.000Z", answers, ...fields });

test("photos of a failed item that were taken before its finding was opened stand with the finding, and each leads to the other", async () => {
  const device = await a_phone(a_case({ inspection_id: VISIT }), a_photo(PHOTO, { type: "inspection", id: VISIT }), a_photo(SECOND, { type: "inspection", id: VISIT }, "close"),
    a_visit({ [FIRST.id]: { value: "fail", photos: [PHOTO], finding_id: FINDING }, [NEXT.id]: { value: "pass", photos: [SECOND] } }));
  const page = await shown(device, Finding, { params: { id: FINDING } });
  assert.equal((await page.see("a", "检查中这一项")).getAttribute("href"), `#/inspect/${VISIT}`);
  const photos = () => page.all("button").map((one) => one.getAttribute("aria-label")).filter((label) => /^(全景|近景)/.test(label));
  await until(() => photos().length);
  assert.match(photos().join(), /^全景[^,]*$/);
  const visit = await shown(device, Inspect, { params: { draft: VISIT } });
  assert.equal((await visit.see("a", "已上报为问题")).getAttribute("href"), `#/findings/${FINDING}`);
});

test("an item that failed is reported first, for a photo that is taken then is the finding's", async () => {
  const device = await a_phone(a_zone("11111111-0000-7000-8000-000000000009")), id = await device.create("inspection", { started_at: "2026-11-27T01:00:00.000Z" }, SCOPE);
  const item = LIST.items.find((one) => one.class_code && one.evidence.startsWith("photo"));
  await device.saveDraft(id, "inspection", { checklist: `${LIST.id}/${LIST.version}`, name: "日查", scope: SCOPE, zone_id: "11111111-0000-7000-8000-000000000009",
    started_at: "2026-11-27T01:00:00.000Z", answers: { [item.id]: { value: "fail" } }, officers: ["me"] });
  const page = await shown(device, Inspect, { params: { draft: id } });
  const primary = async () => (await until(() => page.find("article", "必须拍照") ?? page.find("article", "须拍处置前照片"))).all("button")
    .filter((one) => /primary/.test(one.getAttribute("class"))).map((one) => one.textContent.slice(0, 2));
  assert.deepEqual(await primary(), ["上报"]);
  await page.tap("上报问题");
  await page.see("p", "已上报为问题");
  assert.deepEqual(await primary(), ["拍照"]);
});

test("an inspection that the server has not applied is not said to be received", async () => {
  const device = await a_phone(), id = await device.create("inspection", { ...a_visit({}).fields, officers: ["me"] }, SCOPE);
  const [{ n, id: mutation, record_id }] = await device.outbox();
  await device.parts.store.write((t) => device.parts.outbox.receive(t, [{ n, id: mutation, record_id, outcome: "quarantined", problem: { code: "scope_forbidden", title: "不在范围" } }]));
  const page = await shown(device, Inspect, { params: { draft: id } });
  await page.see("div", "放行");
  assert.ok(!page.find("div", "服务器已收到"));
});

test("a list of tasks says what each is about and where, but of what is to be judged unseen nothing", async () => {
  const zone = { zone_id: "z", candidates: [{ zone_id: "y", name: "东店" }, { zone_id: "z", name: "西店" }] };
  const device = await a_phone(a_case({ zone }), a_task(TASK, { kind: "retake" }), a_task(OTHER, { kind: "other", title: "无关", about: undefined }));
  const pages = await Promise.all([Tasks, Today].map((one) => shown(device, one, {})));
  for (const page of pages) assert.match((await page.see("small", "武宜路2号")).textContent, / · 武宜路2号 · 西店/);
  await pulled(device, a_task(OTHER, { kind: "spot_check" }), a_task(TASK, { kind: "retake" }));
  for (const page of pages) await until(() => page.find("li") && !page.find("small", "武宜路2号"));
});

test("a finished retake shows what was taken for it, and no section stands over nothing", async () => {
  const device = await a_phone(a_case(), a_task(TASK, { kind: "retake", status: "accepted" })), task = await shown(device, Task, { params: { id: TASK } });
  await task.see("h2", "补充证据");
  await pulled(device, a_task(TASK, { kind: "retake", status: "finished" }));
  await until(() => !task.find("h2", "补充证据"));
  const photo = await device.capture(new Blob(["1"]), { about, role: "scene", scope: SCOPE });
  await device.keep(`task-${TASK}`, { photos: [{ id: photo, role: "scene" }] });
  await task.see("h2", "补充证据");
  await task.see("li", "全景");
  const order = await shown(await a_phone(row("enforcement", VISIT, { kind: "order_now", served: { how: "refused", at: "2026-11-27T01:00:00.000Z" } })), Enforcement, { params: { draft: VISIT } });
  await order.see("div", "拒签");
  assert.ok(!order.find("h2", "照片与签名"));
});

test("what was delivered and lies outside this person's area by now is told as that, and its photo by what was made", async () => {
  const device = await a_phone(), id = await device.create("finding", { ...a_finding(), text: "门口堆物" }, SCOPE);
  await device.capture(new Blob(["1"]), { about: { type: "finding", id }, role: "scene", scope: SCOPE });
  const made = await device.outbox();
  await device.parts.store.write((t) => device.parts.outbox.receive(t, made.map(({ n, id: mutation, record_id }) => ({ n, id: mutation, record_id, outcome: "applied", version: 1 }))));
  await device.parts.store.write((t) => device.parts.outbox.closeApplied(t));
  await device.parts.files.note((await device.photos())[0].sha256, { state: "stored" });
  const sync = await shown(device, Sync, {}), page = await shown(device, Finding, { params: { id } });
  await rest();
  assert.equal((await sync.see("a", "问题 · 门口堆物")).getAttribute("href"), `#/findings/${id}`);
  await page.see("div", "已送达;已不在您的责任范围");
});
