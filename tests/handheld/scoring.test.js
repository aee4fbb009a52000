// The running score on the device equals the one that the server derives (vectors made by the server's own rule).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { score } from "../../server/handheld/app/scoring.js";

const here = dirname(fileURLToPath(import.meta.url));
const python = process.env.PYTHON ?? join(here, "../../.venv/bin/python");
const made = execFileSync(python, [join(here, "vectors_scoring.py")], { encoding: "utf8", maxBuffer: 1 << 26 });

test("every checklist with every sort of answer scores as on the server", () => {
  const vectors = JSON.parse(made);
  assert.ok(vectors.length > 150);
  for (const { checklist, answers, score: expected } of vectors) {
    assert.deepEqual(score(checklist, answers), expected, JSON.stringify({ checklist, answers }));
  }
});
