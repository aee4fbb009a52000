// Photos on their way while the server is killed and started again: they go on where it stands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "../../../server/handheld/app/device/client.js";
import { a_phone, counting, GIVEN, opened, photographed, states } from "./phone.js";

const CHUNK = 16_384;
const CALM = new Patience({ tries: 3, wait: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 300))) });

test("a server that dies in the middle costs no more than the chunk that was on its way", async () => {
  const line = counting();
  let phone = await a_phone({ url: GIVEN.slow_url, fetch: line.fetch, patience: CALM });
  const digests = await photographed(phone, 0, 1);
  const until = Date.now() + 120_000;
  while ((await phone.files.all("waiting")).length) {
    assert.ok(Date.now() < until, "it does not come through");
    await phone.uploads.upload({ chunkBytes: CHUNK }).catch((failure) => assert.match(failure.name, /Unreachable|Problem/));
    phone.store.close();
    await CALM.wait(300);
    phone = await opened(phone.database, { url: GIVEN.slow_url, fetch: line.fetch, patience: CALM });
  }
  assert.deepEqual(await states(phone), Object.fromEntries(digests.map((digest) => [digest, ["stored", null]])));
  const size = (await phone.files.all()).reduce((sum, file) => sum + file.bytes, 0);
  console.log(`resent ${line.sent.reduce((sum, sent) => sum + sent, 0) - size}`);
});
