// Photos over good and bad lines to the real server: each arrives whole and once, and nothing here is given up.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { a_phone, counting, GIVEN, kept, opened, photographed, states } from "./phone.js";

const CHUNK = 65_536;

test("over a line that cuts, delays and repeats, every photo arrives, over restarts of the browser", async () => {
  let phone = await a_phone({ url: GIVEN.bad_url });
  const digests = await photographed(phone, 0, 1, 2, 3);
  for (let round = 0; (await phone.files.all("waiting")).length; round += 1) {
    assert.ok(round < 200, "it does not come through");
    await phone.uploads.upload({ chunkBytes: CHUNK }).catch((failure) => assert.match(failure.name, /Unreachable|Problem/));
    phone.store.close();
    phone = await opened(phone.database, { url: GIVEN.bad_url });
  }
  assert.deepEqual(await states(phone), Object.fromEntries(digests.map((digest) => [digest, ["stored", null]])));
  const direct = await opened(phone.database);
  for (const digest of digests) assert.equal((await direct.client.request("HEAD", `/media/${digest}`)).status, 200);
});

test("the smallest go first, and progress is told in bytes that the server has", async () => {
  const phone = await a_phone(), told = [];
  await photographed(phone, 5, 4);
  assert.equal(await phone.uploads.upload({ chunkBytes: CHUNK, onProgress: (at) => told.push(at) }), 2);
  const [first, second] = [...new Set(told.map((at) => at.sha256))];
  const sizes = Object.fromEntries((await phone.files.all()).map((file) => [file.sha256, file.bytes]));
  assert.ok(sizes[first] < sizes[second]);
  const ofSecond = told.filter((at) => at.sha256 === second).map((at) => at.sent);
  assert.deepEqual(ofSecond, [...ofSecond].sort((one, other) => one - other));
  assert.equal(ofSecond.at(-1), sizes[second]);
});

test("stopped between two chunks it goes on there, and no byte travels twice", async () => {
  const line = counting(), phone = await a_phone({ fetch: line.fetch });
  const [digest] = await photographed(phone, 6);
  let asked = 0;
  assert.equal(await phone.uploads.upload({ chunkBytes: CHUNK, goesOn: () => (asked += 1) <= 2 }), 0);
  const [file] = await phone.files.all();
  assert.deepEqual([file.state, file.offset], ["waiting", 2 * CHUNK]);
  assert.equal(await phone.uploads.upload({ chunkBytes: CHUNK }), 1);
  assert.equal(line.sent.reduce((sum, size) => sum + size, 0), file.bytes);
  assert.deepEqual(await states(phone), { [digest]: ["stored", null] });
});

test("a lost answer costs no byte, a lost chunk itself", async () => {
  let lost = 0;
  const line = counting(async ({ url, options, nth }) => {
    if (options.method === "PATCH" && nth === 1 && !lost) {
      lost += 1;
      line.sent.push(options.body.byteLength);
      await globalThis.fetch(url, options);
      throw new TypeError("the answer is lost");
    }
  });
  const phone = await a_phone({ fetch: line.fetch });
  await photographed(phone, 7);
  assert.equal(await phone.uploads.upload({ chunkBytes: CHUNK }), 1);
  const [file] = await phone.files.all();
  assert.deepEqual([lost, line.sent.reduce((sum, size) => sum + size, 0)], [1, file.bytes]);
});

test("what is no picture is refused and stays here; the others go on", async () => {
  const phone = await a_phone();
  const junk = await kept(phone, Buffer.from("this is no picture ".repeat(20)));
  const [good] = await photographed(phone, 8);
  assert.equal(await phone.uploads.upload(), 1);
  assert.deepEqual(await states(phone), { [junk]: ["refused", "media_type_refused"], [good]: ["stored", null] });
  assert.ok(await phone.files.blob(junk));
});

test("bytes that are no longer those of the capture are not sent", async () => {
  const line = counting(), phone = await a_phone({ fetch: line.fetch });
  const digest = await kept(phone, readFileSync(GIVEN.photos[9]), "ab".repeat(32));
  assert.equal(await phone.uploads.upload(), 0);
  assert.deepEqual([await states(phone), line.sent], [{ [digest]: ["damaged", "digest_mismatch"] }, []]);
});

test("a line that changes bytes is found by each chunk, and three damaged arrivals are enough", async () => {
  let harm = 0;
  const spoilt = async ({ url, options }) => {
    if (options.method !== "PATCH") return undefined;
    harm += 1;
    const body = Uint8Array.from(options.body);
    body[100] ^= 1;
    return globalThis.fetch(url, { ...options, body });
  };
  const honest = await a_phone({ fetch: counting(spoilt).fetch });
  const [waits] = await photographed(honest, 9);
  await assert.rejects(honest.uploads.upload(), { status: 460 });
  assert.deepEqual(await states(honest), { [waits]: ["waiting", "checksum_mismatch"] });
  const deceived = await a_phone({ fetch: counting(async ({ url, options }) => {
    if (options.method !== "PATCH") return undefined;
    const body = Uint8Array.from(options.body);
    body[body.length - 1] ^= 1;
    const digest = createHash("sha256").update(body).digest("base64");
    return globalThis.fetch(url, { ...options, body, headers: { ...options.headers, "Upload-Checksum": `sha256 ${digest}` } });
  }).fetch });
  const [digest] = await photographed(deceived, 9);
  await deceived.uploads.upload();
  assert.deepEqual(await states(deceived), { [digest]: ["damaged", "digest_mismatch"] });
  assert.ok(harm > 1 && await deceived.files.blob(digest));
});

test("told to come again in a minute it comes again later; told at once, at once", async () => {
  for (const [after, rejects] of [["60", true], ["1", false]]) {
    let refusals = 0;
    const busy = () => new Response(JSON.stringify({ code: "busy", status: 503, action: "retry" }),
      { status: 503, headers: { "Retry-After": after, "Content-Type": "application/problem+json" } });
    const phone = await a_phone({ fetch: counting(async ({ options }) => (
      options.method === "PATCH" && (refusals += 1) === 1 ? busy() : undefined)).fetch });
    const [digest] = await photographed(phone, after === "60" ? 10 : 11);
    if (rejects) await assert.rejects(phone.uploads.upload(), { code: "busy" });
    else assert.equal(await phone.uploads.upload(), 1);
    assert.equal((await states(phone))[digest][0], rejects ? "waiting" : "stored");
  }
});

test("a token that is no longer good stops it before a byte, and the photo waits", async () => {
  const line = counting(), phone = await a_phone({ fetch: line.fetch });
  const [digest] = await photographed(phone, 10);
  phone.client.token = "nobody's";
  await assert.rejects(phone.uploads.upload(), { name: "Problem", status: 401 });
  assert.deepEqual([await states(phone), line.sent], [{ [digest]: ["waiting", null] }, []]);
});

test("what another device brought is not brought again, and an upload that is gone begins anew", async () => {
  const line = counting(), one = await a_phone(), other = await a_phone({ fetch: line.fetch });
  await photographed(one, 12);
  await photographed(other, 12, 13);
  assert.equal(await one.uploads.upload(), 1);
  const mine = (await other.files.all()).find((file) => file.bytes === readFileSync(GIVEN.photos[13]).length);
  await other.files.note(mine.sha256, { url: "//api/v1/uploads/0198c0de-0000-4000-8000-000000000000", offset: 7 });
  assert.equal(await other.uploads.upload(), 2);
  assert.deepEqual(line.sent, [mine.bytes]);
});

test("a begun upload is terminated, and the photo goes on waiting", async () => {
  const phone = await a_phone();
  const [digest] = await photographed(phone, 14);
  let asked = 0;
  await phone.uploads.upload({ chunkBytes: CHUNK, goesOn: () => (asked += 1) <= 1 });
  const { url } = (await phone.files.all())[0];
  await phone.uploads.cancel(digest);
  await assert.rejects(phone.client.request("HEAD", url, { headers: { "Tus-Resumable": "1.0.0" } }), { status: 404 });
  assert.equal(await phone.uploads.upload(), 1);
});
