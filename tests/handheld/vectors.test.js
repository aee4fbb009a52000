// The device in JavaScript computes what the reference device in Python computes (vectors.py).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import "fake-indexeddb/auto";
import { canonical } from "../../server/handheld/app/device/canonical.js";
import { entryBytes } from "../../server/handheld/app/device/capture.js";
import { photosRoot } from "../../server/handheld/app/device/delivery.js";
import { mediaTypeOf } from "../../server/handheld/app/device/files.js";
import { writeHeader } from "../../server/handheld/app/device/health.js";
import { jwkOf, newKey, sign } from "../../server/handheld/app/device/identity.js";
import { verifyConsistency } from "../../server/handheld/app/device/merkle.js";
import { readStatement, verifyCheckpoint } from "../../server/handheld/app/device/notes.js";
import { stateOf } from "../../server/handheld/app/device/outbox.js";
import { digests } from "../../server/handheld/app/device/rows.js";
import { hex, sha256, stamp, unhex, uuid7 } from "../../server/handheld/app/device/values.js";
import { shown } from "../../server/handheld/app/device/view.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.PYTHON ?? `${ROOT}.venv/bin/python`;
const made = JSON.parse(execFileSync(python, [`${ROOT}tests/handheld/vectors.py`, process.env.SEED ?? "1"],
  { env: { ...process.env, PYTHONPATH: ROOT }, maxBuffer: 2 ** 26 }).toString());

/** A JWK's verdict over raw r||s. */
async function verified(jwk, signature, content) {
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, Buffer.from(signature, "base64url"), content);
}

test("canonical JSON", () => {
  assert.ok(made.canonical.length > 300);
  for (const { json, text } of made.canonical) assert.equal(canonical(JSON.parse(json)), text, json);
  for (const bad of [NaN, Infinity, "\ud800", { "\udc00": 1 }, undefined, [undefined]]) {
    assert.throws(() => canonical(bad), TypeError);
  }
});

test("entries of the capture chain and their signatures", async () => {
  for (const { device_id, capture, record_id, fields, text, sha256: digest, jwk, sig } of made.entries) {
    const entry = entryBytes(device_id, capture, record_id, fields);
    assert.equal(new TextDecoder().decode(entry), text);
    assert.equal(hex(await sha256(entry)), digest);
    assert.ok(await verified(jwk, sig, entry));
  }
});

test("a key never leaves, and its signatures are raw and verify", async () => {
  const { publicKey, privateKey } = await newKey(), content = new TextEncoder().encode("门前");
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("jwk", privateKey));
  const signature = await sign(privateKey, content);
  assert.equal(Buffer.from(signature, "base64url").length, 64);
  assert.ok(await verified(await jwkOf(publicKey), signature, content));
});

test("consistency proofs", async () => {
  for (const { old, now, old_root, now_root, path, holds } of made.proofs) {
    const said = await verifyConsistency(old, now, unhex(old_root), unhex(now_root), path.map(unhex));
    assert.equal(said, holds, `${old} of ${now}`);
  }
  assert.equal(await verifyConsistency(0, 5, unhex("00".repeat(32)), unhex("00".repeat(32)), []), false);
});

test("signed notes, genuine and not", async () => {
  assert.ok(made.notes.some(({ size }) => size === null) && made.notes.some(({ size }) => size === 2 ** 40));
  for (const { note, key, size, root } of made.notes) {
    if (size === null) await assert.rejects(verifyCheckpoint(note, key), { name: "NoteInvalid" }, note);
    else {
      const seen = await verifyCheckpoint(note, key);
      assert.deepEqual([seen.size, hex(seen.root)], [size, root]);
    }
  }
});

test("delivery receipts and the root of their photos", async () => {
  for (const { note, key, photos, root, statement } of made.receipts) {
    assert.equal(await photosRoot(photos), root);
    assert.equal(await photosRoot([...photos, ...photos]), root);
    assert.deepEqual(await readStatement(note, key), statement);
    await assert.rejects(readStatement(note.replace("\"last_n\":", "\"last_n\":1"), key), { name: "NoteInvalid" });
    await assert.rejects(verifyCheckpoint(note, key), { name: "NoteInvalid" });
  }
});

test("what a person sees, by the merge rules", () => {
  for (const { number, type, row, made: edits, shown: expected } of made.views) {
    assert.deepEqual(shown(made.rules, type, "r", row, edits), expected, `view ${number}: ${JSON.stringify({ row, edits })}`);
  }
});

test("digests of what is here", async () => {
  const found = await digests(made.digests.rows);
  assert.deepEqual(Object.fromEntries(found), made.digests.digests);
});

test("the health header, ids, times, states and media types", () => {
  for (const { health, header } of made.healths) assert.equal(writeHeader(health), header);
  for (const { ms, random, id, stamp: text } of made.ids) assert.deepEqual([uuid7(ms, () => unhex(random)), stamp(ms)], [id, text]);
  for (const [news, state] of Object.entries(made.states)) assert.equal(stateOf(news), state);
  for (const { start, media_type } of made.media) assert.equal(mediaTypeOf(unhex(start)), media_type);
});
