// What forms do with what is typed, tapped and pulled: nothing is lost, nothing made twice, nothing changed behind a party's back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { SCOPE } from "./devices.js";
import { a_phone, a_zone, REFERENCE, rest, shown } from "./screen.js";

const ZONE = "11111111-0000-7000-8000-000000000009";
const PNG = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1])]);

const Letter = (await import("../../server/handheld/app/screens/letter.js")).default;
const Enforcement = (await import("../../server/handheld/app/screens/enforcement.js")).default;

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
  await rest();
  assert.equal((await device.drafts())[0].value.how, "refused");
  assert.equal(page.find("ul", "文书").all("li").length, 1, "it is among the photos");
  await page.find("button", "存为拒签").tap();
  const [{ fields }] = await device.records("letter");
  assert.deepEqual([fields.refused.reason, fields.signed_at, fields.signature], ["不肯签", undefined, undefined]);
});

test("a signature that was made before the app was killed is found again by the id that its form had named", async () => {
  const device = await a_phone(a_zone(ZONE)), signing = device.newId(), id = await a_letter(device, { how: "signed", signing });
  await device.capture(PNG, { about: { type: "letter", id }, role: "document", scope: SCOPE });
  await device.capture(PNG, { id: signing, about: { type: "letter", id }, role: "document", scope: SCOPE, note: "签名:王老板", captured_at: "2026-11-27T01:00:00.000Z" });
  const page = await shown(device, Letter, { params: { draft: id } });
  await page.find("button", "存为已签").tap();
  const [{ fields }] = await device.records("letter");
  assert.deepEqual([fields.signature.evidence_id, fields.signed_at], [signing, "2026-11-27T01:00:00.000Z"]);
});

test("the words of an order stand as they were when it was served; who changes them serves it anew", async () => {
  const device = await a_phone(), id = device.newId();
  await device.saveDraft(id, "enforcement", { kind: "order_now", finding_id: "", class_code: "", zone_id: "", scope: SCOPE, party_name: "王老板", offence_code: "",
    facts: "占道", officers: ["me", "李四"], how: "", reason: "", witness: "", due: "2026-12-01T10:00" });
  const page = await shown(device, Enforcement, { params: { draft: id } });
  await page.input("拒签").does("change");
  const locked = () => page.find("fieldset", "事实").disabled, first = (await device.drafts())[0].value.served_at;
  assert.equal(locked(), true);
  await page.find("button", "改内容").tap();
  assert.equal(locked(), false);
  await page.input("事实").write("占道、且辱骂");
  await page.input("拒签").does("change");
  await page.input("拒签情况").write("拒绝");
  await page.input("见证人").write("赵");
  await page.find("button", "存并封存").tap();
  const [{ fields: { served, facts } }] = await device.records("enforcement");
  assert.ok(served.at > first && served.text.includes("占道、且辱骂") && facts === "占道、且辱骂", JSON.stringify(served));
});
