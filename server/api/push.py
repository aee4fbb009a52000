"""Push (protocol section 2): signature first, then the envelope, then the engine; one commit, then the answer."""

from __future__ import annotations

from flask import Response, request

from schemas.problems import Problem
from schemas.push import load_envelope
from server.api import blueprint
from server.api.openapi import PUSH, body, header
from server.auth import me, must_be_device
from server.db import db, writing
from server.house import house
from server.unreadable import read_push
from server.wire import answer
from sync.push import push as push_mutations
from sync.push import read, sound_of
from sync.signing import verify_push_signature

blp = blueprint("push", "上行同步 Push")


@blp.post("/sync/push")
@blp.doc(requestBody=body(PUSH), parameters=[header(
    "Menqian-Signature", "base64url of the raw 64-byte ECDSA-SHA-256 signature over the body; of a device with a key")])
@blp.response(200)
def push() -> Response:
    """Apply a device's mutations; each has an outcome, and all of them are committed before the answer."""
    device = must_be_device(me())
    settings = house().settings
    if device.public_key is not None and not verify_push_signature(
            device.public_key, request.headers.get("Menqian-Signature"), request.get_data()):
        raise Problem("signature_invalid", "the Menqian-Signature header does not verify over the body")
    mutations, health = load_envelope(read_push(request.get_data(), settings.mutations_per_push))
    if len(mutations) > settings.mutations_per_push:
        raise Problem("batch_too_large", f"at most {settings.mutations_per_push} mutations in a push",
                      limit=settings.mutations_per_push)
    came = read(mutations, settings.mutation_bytes)
    foreseen = house().rules.foresee(db.session(), sound_of(came, device.last_n or 0))
    with writing() as door:
        outcomes = push_mutations(door, device.writer(), came, health, foreseen)
        last_n, epoch, at = max([device.last_n or 0, *(outcome["n"] for outcome in outcomes)]), door.gate.epoch, door.at
    return answer({"outcomes": outcomes, "last_n": last_n, "epoch": epoch, "server_time": at,
                   "checkpoint": door.checkpoint})

