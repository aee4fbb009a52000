// The file of everything undelivered, as a browser writes it; what the office makes of it is tested where this is started.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { bundleOf } from "../../../server/handheld/app/device/bundle.js";
import { zipOf } from "../../../server/handheld/app/device/zip.js";
import { a_phone, GIVEN, kept, photographed } from "./phone.js";

const SCOPE = "320412100";

test("everything that waits stands in one file", async () => {
  const phone = await a_phone();
  const [digest] = await photographed(phone, 15);
  await phone.store.put("limits", { mutations_per_push: 2 });
  for (const text of ["甲", "乙", "丙"]) {
    await phone.store.write((t) => phone.outbox.make(t, [{ op: "put", type: "finding", record_id: phone.outbox.newId(),
      base: 0, scope: SCOPE, set: { class_scheme: "GB/T 30428.2-2013:event", class_code: "0504", text, address: "武宜路2号",
        observed_at: "2026-11-22T01:00:00.000Z", source: "patrol" } }]));
  }
  const before = await phone.store.read((t) => t.all("mutation"));
  writeFileSync(GIVEN.bundle, new Uint8Array(await (await bundleOf(phone)).arrayBuffer()));
  assert.deepEqual(await phone.store.read((t) => t.all("mutation")), before);
  assert.equal((await phone.files.all("waiting"))[0].sha256, digest);
});

test("a file of nothing is one, too, and lost bytes are named", async () => {
  const phone = await a_phone();
  const lost = await kept(phone, Buffer.from("lost"));
  await phone.store.write((t) => t.delete("bytes", lost));
  const text = await (await bundleOf(phone)).text();
  assert.match(text, new RegExp(`"lacking":\\["${lost}"\\]`));
  assert.match(text, /"pushes":\[\],"photos":\[\]/);
});

test("an archive beyond 4 GiB has addresses of 64 bits", async () => {
  const members = [1, 2, 3].map((number) => ({ name: `members/${number}`, content: new Blob([`${number}`.repeat(500)]) }));
  writeFileSync(GIVEN.zip64, new Uint8Array(await (await zipOf(members, Date.UTC(2026, 10, 22, 1), 600)).arrayBuffer()));
});
