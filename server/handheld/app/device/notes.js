// Signed notes: checkpoints of the journal and delivery receipts, read and verified. Pure; serves `witness`, `delivery`.
//
// The formats are C2SP signed-note (Ed25519 signatures only) and C2SP tlog-checkpoint.

import { verifyAsync } from "../vendor/ed25519/index.js";
import { joined, same } from "./merkle.js";
import { base64, hex, sha256, utf8 } from "./values.js";

/** What a log says of itself. @typedef {{ origin: string, size: number, root: Uint8Array<ArrayBuffer> }} Checkpoint */

const ED25519 = 1; // signature type identifier of C2SP signed-note
const SIGNATURE_LINE = /^— ([^ +]+) ([^ ]+)$/;
const SIGNATURES_AT_MOST = 100;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const UNFIT = /[\x00-\x09\x0b-\x1f\ud800-\udfff]/u; // control characters but the newline; what is not UTF-8
const RECEIPT = "menqian delivery receipt 1";

/** A note or a key line that is malformed, or a signature that does not verify. */
export class NoteInvalid extends Error {
  name = "NoteInvalid";
}

/**
 * The text of a note that the key of this line signed; throws NoteInvalid. Signatures by other keys are ignored, as the
 * specification asks; one by this key that does not verify spoils all.
 * @param {string} note
 * @param {string} keyLine
 */
export async function openNote(note, keyLine) {
  const key = await readKeyLine(keyLine), { text, lines } = split(note);
  const ours = lines.map(readSignature).filter(({ name, blob }) => name === key.name && same(blob.slice(0, 4), key.hash));
  if (!ours.length) throw new NoteInvalid(`not signed by ${key.name}`);
  for (const { blob } of ours) {
    if (blob.length !== 68 || !await verifyAsync(blob.slice(4), utf8(text), key.raw, { zip215: false })) {
      throw new NoteInvalid(`the signature by ${key.name} does not verify`);
    }
  }
  return text;
}

/** The checkpoint that the key of this line signed for its own log; throws NoteInvalid. @param {string} note @param {string} keyLine */
export async function verifyCheckpoint(note, keyLine) {
  const checkpoint = parseCheckpoint(await openNote(note, keyLine));
  if (checkpoint.origin !== (await readKeyLine(keyLine)).name) {
    throw new NoteInvalid(`a checkpoint of ${checkpoint.origin}, not of the log whose key this is`);
  }
  return checkpoint;
}

/** What a checkpoint says, believed unseen: only for notes from one's own store. @param {string} note */
export function readCheckpoint(note) {
  return parseCheckpoint(split(note).text);
}

/** What a delivery receipt says that the key of this line signed; throws NoteInvalid. @param {string} note @param {string} keyLine
 * @returns {Promise<import("./types.js").Fields>} */
export async function readStatement(note, keyLine) {
  const text = await openNote(note, keyLine), at = text.indexOf("\n");
  if (text.slice(0, at) !== RECEIPT) throw new NoteInvalid("not a delivery receipt");
  let statement;
  try {
    statement = JSON.parse(text.slice(at + 1));
  } catch (failure) {
    throw new NoteInvalid("a delivery receipt without its statement", { cause: failure });
  }
  if (statement === null || typeof statement !== "object" || Array.isArray(statement)) {
    throw new NoteInvalid("a delivery receipt without its statement");
  }
  return statement;
}

/** Origin, size, root; extension lines may follow and are not read. @param {string} text @returns {Checkpoint} */
function parseCheckpoint(text) {
  const [origin, size, root, ...extensions] = text.slice(0, -1).split("\n");
  if (!origin || !SIZE.test(size ?? "") || root === undefined || extensions.includes("")) {
    throw new NoteInvalid("not a checkpoint");
  }
  const decoded = unbase64(root);
  if (decoded.length !== 32) throw new NoteInvalid("the root of a checkpoint has 32 bytes");
  return { origin, size: Number(size), root: decoded };
}

/** The text with its last newline, and the signature lines. @param {string} note */
function split(note) {
  const at = note.lastIndexOf("\n\n"), signatures = note.slice(at + 2), lines = signatures.slice(0, -1).split("\n");
  if (at < 1 || !signatures.endsWith("\n") || lines.length > SIGNATURES_AT_MOST) throw new NoteInvalid("not a signed note");
  if (UNFIT.test(note)) throw new NoteInvalid("a note is UTF-8 text without control characters");
  return { text: note.slice(0, at + 1), lines };
}

/** Name, and key ID with signature, of a line `— name base64`. @param {string} line */
function readSignature(line) {
  const match = SIGNATURE_LINE.exec(line);
  if (!match || !isName(match[1])) throw new NoteInvalid("a malformed signature line");
  const blob = unbase64(match[2]);
  if (blob.length < 5) throw new NoteInvalid("a signature line without a signature");
  return { name: match[1], blob };
}

/** Name and key of a verifier key line `name+hash+base64`; its hash must be the key's. @param {string} line */
async function readKeyLine(line) {
  const [name = "", told = "", ...rest] = line.trim().split("+");
  const key = unbase64(rest.join("+")); // base64 has plus signs of its own
  if (!isName(name) || key[0] !== ED25519 || key.length !== 33) throw new NoteInvalid("not an Ed25519 verifier key");
  const hash = (await sha256(joined(utf8(`${name}\n`), key))).slice(0, 4);
  if (hex(hash) !== told) throw new NoteInvalid("the hash in the verifier key is not that of name and key");
  return { name, hash, raw: key.slice(1) };
}

/** @param {string} name */
function isName(name) {
  return name !== "" && !name.includes("+") && !/[\s\x85]/u.test(name) && !UNFIT.test(name);
}

/** Strict base64 of RFC 4648 section 4, the one spelling that encoding would give. @param {string} text */
function unbase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new NoteInvalid("not base64");
  const raw = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64(raw) !== text) throw new NoteInvalid("not canonical base64");
  return raw;
}
