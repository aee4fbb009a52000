// Two handhelds and the real server: what one makes the other sees, and what is refused stays and is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { a_finding, SCOPE } from "./devices.js";
import { a_photo, admin, enrolled, invite, network, NEEDS_SERVER, on_server, person, quiet, reopened, report } from "./office.js";

test("two devices converge and the server's digests agree", NEEDS_SERVER, async () => {
  const [one, two] = [await enrolled(), await enrolled()];
  const id = await report(one, { tags: ["早"] });
  await quiet(one, two);
  await two.edit("finding", id, { set: { condition: "属实" }, add: { tags: ["夜间"] } });
  await one.edit("finding", id, { set: { text: "改过" } });
  await quiet(one, two);
  const [seen, other] = [await one.get("finding", id), await two.get("finding", id)];
  assert.deepEqual(seen, other);
  assert.deepEqual([seen.fields.text, seen.fields.condition, seen.fields.tags.sort()], ["改过", "属实", ["夜间", "早"].sort()]);
  assert.deepEqual([await one.verify(), await two.verify()], [[], []]);
  assert.deepEqual(await one.outbox(), []);
  assert.equal((await one.outbox({ all: true })).every((made) => made.state === "done"), true);
  one.close();
  two.close();
});

test("two changes of one field open a conflict that the field can settle", NEEDS_SERVER, async () => {
  const [one, two] = [await enrolled(), await enrolled({ owner: await person("inspector") })];
  const id = await report(one, { text: "原来" });
  await quiet(one, two);
  await one.edit("finding", id, { set: { text: "甲" } });
  await two.edit("finding", id, { set: { text: "乙" } });
  await one.sync();
  assert.equal((await two.sync()).conflicts, 1);
  await quiet(one, two);
  const [conflict] = (await two.records("conflict")).filter((each) => each.fields.record_id === id);
  assert.deepEqual([conflict.fields.theirs, conflict.fields.mine, conflict.fields.state], ["甲", "乙", "open"]);
  await one.command("conflict", conflict.id, "resolve", { choice: "theirs" });
  await quiet(one, two);
  assert.equal((await two.get("finding", id)).fields.text, "甲");
  const [settled] = (await two.events()).filter((event) => event.kind === "conflict_settled");
  assert.equal(settled.conflict_id, conflict.id);
  one.close();
  two.close();
});

test("what was begun on no version is joined to a colleague's row; what differs is a conflict, the rest stands side by side", NEEDS_SERVER, async () => {
  const one = await enrolled({ owner: await person("inspector") }), two = await enrolled({ owner: await person("inspector") });
  const id = await one.create("register_entry", { on: "2026-11-27", duties: { 环境卫生: "pass", 秩序: "pass" } }, SCOPE);
  await quiet(one, two);
  await two.saveDraft("begun", "register", { any: 1 });
  await two.group((maker) => maker.edit("register_entry", id, { set: { duties: { 环境卫生: "fail", 市容整洁: "fail", 秩序: "pass" } } }, 0), { apart: true, draft: { id: "begun" } });
  assert.deepEqual(await two.drafts(), []);
  assert.equal((await two.sync()).conflicts, 1);
  await quiet(two);
  const [{ fields }] = (await two.records("conflict")).filter((each) => each.fields.record_id === id);
  assert.deepEqual([fields.field, fields.theirs, fields.mine], ["duties.环境卫生", "pass", "fail"]);
  assert.deepEqual((await on_server("register_entry", id)).fields.duties, { 环境卫生: "fail", 秩序: "pass", 市容整洁: "fail" });
  one.close();
  two.close();
});

test("what is not valid is quarantined, told, and applied when it is released", NEEDS_SERVER, async () => {
  const device = await enrolled();
  const id = await report(device, { class_code: "nonsense" });
  const good = await report(device);
  assert.equal((await device.sync()).quarantined, 1);
  const seen = await device.get("finding", id);
  assert.equal(seen.problems[0].code, "class_unknown");
  assert.ok((await device.get("finding", good)).version);
  const supervisor = await person("supervisor");
  const { items } = await supervisor.get("/quarantine");
  const waiting = items.find((each) => each.mutation.record_id === id);
  await supervisor.post(`/quarantine/${waiting.id}/release`, { set: { class_code: "0504" } });
  await quiet(device);
  assert.deepEqual([(await device.get("finding", id)).version, await device.outbox()], [1, []]);
  device.close();
});

test("a record that left the scope is kept while an edit waits, then forgotten", NEEDS_SERVER, async () => {
  const owner = await person("inspector", [SCOPE, "320412101"]);
  const [device, other] = [await enrolled({ owner: await person("inspector") }), await enrolled({ owner })];
  const id = await report(other);
  await quiet(other, device);
  await device.edit("finding", id, { set: { condition: "属实" } });
  await (await admin()).post(`/records/finding/${id}/commands`, { name: "move", args: { scope: "320412101", reason: "移交" } });
  await device.parts.exchange.pull();
  assert.equal((await device.get("finding", id)).fields.condition, "属实");
  await quiet(device, other);
  assert.equal(await device.get("finding", id), null);
  assert.equal((await other.get("finding", id)).fields.condition, "属实");
  device.close();
  other.close();
});

test("a push whose answer was lost is repeated and changes nothing", NEEDS_SERVER, async () => {
  const way = network(), device = await enrolled({ fetch: way.fetch });
  const id = await report(device);
  way.draw = (address) => (address.endsWith("/sync/push") ? "lose_answer" : null);
  await assert.rejects(device.sync(), { name: "Unreachable" });
  assert.equal(device.syncing.failure?.kind ?? (await device.know(), device.syncing.failure.kind), "unreachable");
  way.draw = () => null;
  assert.equal((await on_server("finding", id)).version, 1);
  assert.equal((await device.health()).unsent, 1);
  assert.equal((await device.sync()).delivered, 1);
  assert.equal((await on_server("finding", id)).version, 1);
  device.close();
});

test("killed between the server's commit and the receipt, the next start delivers once", NEEDS_SERVER, async () => {
  const way = network((address) => (address.endsWith("/sync/push") ? "lose_answer" : null));
  const device = await enrolled({ fetch: way.fetch, database: "killed" });
  const id = await report(device);
  await assert.rejects(device.sync());
  device.close();
  const again = await reopened("killed");
  await quiet(again);
  assert.deepEqual([(await on_server("finding", id)).version, (await again.outbox()).length], [1, 0]);
  again.close();
});

test("a cursor that is not valid begins again and keeps the outbox", NEEDS_SERVER, async () => {
  const device = await enrolled();
  const id = await report(device);
  await device.sync();
  await device.edit("finding", id, { set: { text: "离线改" } });
  await device.parts.store.put("cursor", "forged");
  await device.parts.exchange.pull();
  assert.equal((await device.get("finding", id)).fields.text, "离线改");
  assert.deepEqual((await device.outbox()).map((each) => each.n), [2]);
  assert.equal((await device.sync()).conflicts, 0);
  assert.deepEqual(await device.verify(), []);
  device.close();
});

test("a revoked device says so and keeps everything", NEEDS_SERVER, async () => {
  const device = await enrolled();
  await report(device);
  await (await admin()).post(`/devices/${device.id}/revoke`, { reason: "丢失" });
  await assert.rejects(device.sync(), { code: "device_revoked", action: "contact" });
  await device.know();
  assert.deepEqual([device.state, device.syncing.failure.kind, (await device.outbox()).length], ["revoked", "device_revoked", 1]);
  await device.enrolAnew(await invite(device.user.username));
  assert.equal(device.state, "enrolled");
  assert.equal((await device.sync()).delivered, 1);
  device.close();
});

test("two tabs make and sync at once: dense numbers, one chain", NEEDS_SERVER, async () => {
  const one = await enrolled({ database: "twotabs" }), two = await reopened("twotabs");
  const finding = await report(one);
  const photo = await a_photo();
  await Promise.all([one, two, one, two].map((tab, at) => tab.capture(new Blob([photo, new Uint8Array([at])]),
    { about: { type: "finding", id: finding }, role: "scene", scope: SCOPE })));
  await Promise.all([one.sync(), two.sync()]);
  const made = await two.outbox({ all: true });
  assert.deepEqual(made.map((each) => each.n), [1, 2, 3, 4, 5]);
  const chain = made.filter((each) => each.type === "evidence").map((each) => each.body.set.capture.seq);
  assert.deepEqual(chain.sort(), [1, 2, 3, 4]);
  assert.equal((await one.health()).unsent, 0);
  await quiet(one);
  const flags = (await one.records("evidence")).filter((each) => each.fields.about.id === finding)
    .flatMap((each) => each.fields.flags ?? []).map((flag) => flag.code);
  assert.deepEqual(flags.filter((code) => code.startsWith("chain") || code.startsWith("signature")), []);
  one.close();
  two.close();
});

test("a clock that is a year off is told and breaks nothing", NEEDS_SERVER, async () => {
  const year = 365 * 86_400_000, device = await enrolled({ clock: () => Date.now() + year });
  await device.create("finding", a_finding(), SCOPE);
  await device.sync();
  await device.know();
  assert.ok(Math.abs(device.clock_offset_ms - year) < 5000, String(device.clock_offset_ms));
  assert.equal((await device.health()).unsent, 0);
  device.close();
});

test("asked for soon, a sync that fails is told and the next one clears it; paused, none is made", NEEDS_SERVER, async () => {
  const way = network(), device = await enrolled({ fetch: way.fetch });
  const until = async (so) => {
    for (let round = 0; round < 100 && !so(); round += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(so(), JSON.stringify(device.syncing));
  };
  await report(device);
  way.offline = true;
  device.syncSoon();
  await until(() => device.syncing.failure?.kind === "unreachable" && device.syncing.doing === null);
  assert.equal((await device.health()).unsent, 1);
  way.offline = false;
  device.syncSoon();
  device.syncSoon();
  await until(() => device.syncing.failure === null && device.syncing.last_ok_at !== null);
  assert.equal((await device.health()).unsent, 0);
  await until(() => !device.talking.running); // the second, asked for while the first was made
  await device.configure({ paused: true });
  await report(device);
  device.syncSoon();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await device.health()).unsent, 1);
  device.close();
});

test("long answers arrive whole, in as many mutations as they take", NEEDS_SERVER, async () => {
  const device = await enrolled(), id = await device.create("inspection", { started_at: "2026-11-27T00:00:00.000Z" }, SCOPE);
  const answers = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`i${at}`, { value: "fail", note: "占".repeat(2000) }]));
  await device.edit("inspection", id, { base: 0, set: { answers, ended_at: "2026-11-27T01:00:00.000Z" } });
  await device.sync();
  assert.deepEqual(await device.outbox(), []);
  const { fields } = await on_server("inspection", id);
  assert.deepEqual([fields.answers, fields.ended_at], [answers, "2026-11-27T01:00:00.000Z"]);
  device.close();
});
