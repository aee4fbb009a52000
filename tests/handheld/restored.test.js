// The server is restored from a backup, devices are cloned: everything arrives again, nothing is used twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SCOPE } from "./devices.js";
import { a_photo, console_does, copied, enrolled, invite, NEEDS_SERVER, on_server, quiet, reopened, report } from "./office.js";

test("a restored server gets again what it lost", NEEDS_SERVER, async () => {
  const [device, other] = [await enrolled(), await enrolled()];
  const kept = await report(device);
  await quiet(device, other);
  await console_does("back_up", "first");
  await device.edit("finding", kept, { set: { text: "备份之后" } });
  const lost = await report(device);
  await quiet(device, other);
  await other.edit("finding", lost, { set: { condition: "属实" } });
  await other.edit("finding", kept, { set: { address: "武宜路4号" } });
  await quiet(device, other);
  await device.edit("finding", lost, { set: { text: "恢复时未送" } });
  await console_does("restore", "first");
  await quiet(device, other);
  for (const each of [device, other]) {
    assert.deepEqual(await each.outbox(), []);
    const [one, two] = [(await each.get("finding", kept)).fields, (await each.get("finding", lost)).fields];
    assert.deepEqual([one.text, one.address, two.text, two.condition], ["备份之后", "武宜路4号", "恢复时未送", "属实"]);
    assert.deepEqual(await each.verify(), []);
  }
  const kinds = (await device.events()).map((event) => event.kind);
  assert.ok(kinds.includes("server_restored"), kinds.join());
  device.close();
  other.close();
});

test("a device that the backup does not know enrols anew and brings everything, photos too", NEEDS_SERVER, async () => {
  await console_does("back_up", "before");
  const device = await enrolled();
  const finding = await report(device);
  const evidence = await device.capture(await a_photo(), { about: { type: "finding", id: finding }, role: "scene", scope: SCOPE });
  await quiet(device);
  await device.edit("finding", finding, { set: { text: "改过" } });
  await quiet(device);
  await console_does("restore", "before");
  await assert.rejects(device.sync(), { name: "Problem", status: 401 });
  await device.enrolAnew(await invite(device.user.username));
  for (let round = 0; round < 20 && (await on_server("evidence", evidence).catch(() => null))?.fields.media.state !== "verified"; round += 1) {
    await device.sync();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await quiet(device);
  assert.deepEqual([await device.outbox(), await device.verify()], [[], []]);
  assert.equal((await on_server("finding", finding)).fields.text, "改过");
  const { fields } = await on_server("evidence", evidence);
  assert.equal(fields.media.state, "verified");
  assert.deepEqual((fields.flags ?? []).map((flag) => flag.code).filter((code) => /signature|chain/.test(code)), []);
  device.close();
});

test("a clone's number is noticed: it enrols anew, loses nothing and forks no chain", NEEDS_SERVER, async () => {
  const device = await enrolled({ database: "original" });
  await report(device);
  await device.sync();
  await copied("original", "clone");
  const clone = await reopened("clone");
  const mine = await report(device), twin = await report(clone, { text: "另一台" });
  const photo = await clone.capture(await a_photo(), { about: { type: "finding", id: twin }, role: "scene", scope: SCOPE });
  await device.sync();
  await assert.rejects(clone.sync(), { code: "device_forked", action: "new_device" });
  await clone.know();
  assert.deepEqual([clone.state, (await clone.outbox()).length], ["forked", 2]);
  await clone.enrolAnew(await invite(clone.user.username));
  await quiet(clone);
  assert.notEqual(clone.id, device.id);
  assert.deepEqual([clone.state, await clone.outbox()], ["enrolled", []]);
  assert.ok((await clone.get("finding", mine)).version);
  assert.equal((await clone.get("finding", twin)).fields.text, "另一台");
  const { fields } = await on_server("evidence", photo);
  assert.equal(fields.capture.seq, 1);
  assert.deepEqual((fields.flags ?? []).map((flag) => flag.code).filter((code) => /signature|chain/.test(code)), []);
  device.close();
  clone.close();
});

test("a photo taken between the new enrolment and the first pull is signed once", NEEDS_SERVER, async () => {
  const device = await enrolled();
  const finding = await report(device);
  await device.sync();
  await device.enrolAnew(await invite(device.user.username));
  const about = { type: "finding", id: finding };
  const photo = await device.capture(await a_photo(), { about, role: "scene", scope: SCOPE });
  await quiet(device);
  const { fields } = await on_server("evidence", photo);
  assert.equal(fields.capture.seq, 1);
  device.close();
});

test("an older copy of a device is noticed before it uses a number twice", NEEDS_SERVER, async () => {
  const device = await enrolled({ database: "newer" });
  await report(device);
  await device.sync();
  await copied("newer", "older");
  await report(device);
  await device.sync();
  const older = await reopened("older");
  await assert.rejects(older.sync(), /older copy/);
  assert.deepEqual((await older.events()).map((event) => event.kind), ["store_older"]);
  const offline = await report(older, { text: "旧机离线" });
  await older.enrolAnew(await invite(older.user.username));
  await quiet(older);
  assert.deepEqual(await older.outbox(), []);
  assert.equal((await on_server("finding", offline)).fields.text, "旧机离线");
  device.close();
  older.close();
});

test("after a restore a clone was quicker and used its numbers", NEEDS_SERVER, async () => {
  const first = await enrolled({ database: "slow" });
  await first.sync();
  await console_does("back_up", "quicker");
  await copied("slow", "quick");
  const second = await reopened("quick"), made = [];
  for (const text of ["甲0", "甲1", "甲2"]) made.push(await report(first, { text }));
  await first.sync();
  await console_does("restore", "quicker");
  made.push(await report(second, { text: "乙0" }));
  await second.sync();
  await assert.rejects(first.sync(), { code: "device_forked" });
  await first.enrolAnew(await invite(first.user.username));
  await quiet(first, second);
  for (const each of [first, second]) {
    const texts = await Promise.all(made.map(async (id) => (await each.get("finding", id)).fields.text));
    assert.deepEqual(texts.sort(), ["乙0", "甲0", "甲1", "甲2"].sort());
    assert.deepEqual([await each.outbox(), await each.verify()], [[], []]);
  }
  first.close();
  second.close();
});
