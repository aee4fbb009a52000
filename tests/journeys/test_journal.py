"""The journal (protocol section 9), held against code of our own: checkpoint, entries, inclusion, consistency."""

from __future__ import annotations

import random
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature

from tests.bureau import Bureau, a_photo, eventually
from tests.transparency import Checkpoint, consistency_holds, inclusion_holds, leaf, read_checkpoint, tree_root
from tests.wire import Person, Wire, granted, moment, refused, sha256

SCOPE = "320412119"


@pytest.fixture(scope="module")
def auditor(bureau: Bureau) -> Person:
    return bureau.person("auditor", scopes=("32",))


def newest(reader: Wire) -> Checkpoint:
    return read_checkpoint(reader.get("/journal/checkpoint").text, reader.get("/journal/key").text)


def covering(reader: Person, size: int) -> Checkpoint:
    """A checkpoint over at least so many entries: there within ten seconds (and a little for the machine)."""
    assert eventually(lambda: newest(reader).size >= size, within_s=14), newest(reader)
    return newest(reader)


def all_entries(reader: Person, start: int = 0) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    while page := granted(reader.get(f"/journal/entries?from={start + len(entries)}&limit=1000"))["entries"]:
        entries += page
    assert [entry["index"] for entry in entries] == list(range(start, start + len(entries)))
    return entries


def proof(reader: Person, path: str) -> list[bytes]:
    return [bytes.fromhex(each) for each in granted(reader.get(path))["hashes"]]


def test_anyone_may_witness_a_checkpoint(bureau: Bureau) -> None:
    anyone = Wire(bureau.url)
    answer = anyone.get("/journal/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    checkpoint = newest(anyone)
    assert checkpoint.size > 0
    assert checkpoint.origin


def test_a_tampered_checkpoint_does_not_verify(bureau: Bureau) -> None:
    anyone = Wire(bureau.url)
    note, key = anyone.get("/journal/checkpoint").text, anyone.get("/journal/key").text
    lines = note.split("\n")
    lines[1] = str(int(lines[1]) + 1)
    with pytest.raises(InvalidSignature):
        read_checkpoint("\n".join(lines), key)


def test_every_entry_hashes_to_its_leaf_and_all_to_the_root(bureau: Bureau, auditor: Person) -> None:
    bureau.handheld(SCOPE).report(SCOPE)
    entries = all_entries(auditor)
    for entry in entries:
        content = rfc8785.dumps({name: entry[name] for name in ("at", "kind", "actor", "about", "body")})
        assert leaf(content).hex() == entry["leaf_hash"]
    checkpoint = covering(auditor, len(entries))
    leaves = [bytes.fromhex(entry["leaf_hash"]) for entry in all_entries(auditor)]
    assert tree_root(leaves[:checkpoint.size]) == checkpoint.root


def test_any_entry_is_proven_to_be_in_the_log(auditor: Person) -> None:
    checkpoint = newest(auditor)
    dice = random.Random(9)
    for index in {0, checkpoint.size - 1, *(dice.randrange(checkpoint.size) for _ in range(8))}:
        entry, = granted(auditor.get(f"/journal/entries?from={index}&limit=1"))["entries"]
        path = proof(auditor, f"/journal/inclusion?index={index}&size={checkpoint.size}")
        assert inclusion_holds(index, checkpoint.size, bytes.fromhex(entry["leaf_hash"]), path, checkpoint.root)
        assert not inclusion_holds(index, checkpoint.size, leaf(b"other"), path, checkpoint.root)


def test_the_log_only_grows(bureau: Bureau, auditor: Person) -> None:
    before = newest(auditor)
    device = bureau.handheld(SCOPE)
    for _ in range(5):
        device.report(SCOPE)
    after = covering(auditor, before.size + 5)
    path = proof(auditor, f"/journal/consistency?from={before.size}&to={after.size}")
    assert consistency_holds(before.size, after.size, before.root, after.root, path)
    assert not consistency_holds(before.size, after.size, leaf(b"x"), after.root, path)
    assert proof(auditor, f"/journal/consistency?from={after.size}&to={after.size}") == []


def test_the_checkpoint_comes_with_every_exchange(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE)
    key = device.get("/journal/key").text
    for answer in (device.hello(), granted(device.push()), granted(device.pull())):
        assert read_checkpoint(answer["checkpoint"], key).size > 0


@pytest.mark.parametrize("path", [
    "/journal/inclusion?index=0&size=999999999", "/journal/inclusion?index=5&size=5", "/journal/inclusion",
    "/journal/inclusion?index=-1&size=5", "/journal/inclusion?index=x&size=y", "/journal/consistency?from=5&to=2",
    "/journal/consistency",
    "/journal/consistency?from=-1&to=3", "/journal/consistency?from=1&to=999999999", "/journal/entries?from=-1",
    "/journal/entries?from=x", "/journal/entries?from=0&limit=many", f"/journal/inclusion?index=0&size={10**30}"])
def test_a_proof_that_cannot_be_is_a_problem(auditor: Person, path: str) -> None:
    refused(auditor.get(path), (400, 404, 422))


def test_entries_are_for_auditors_and_administrators(bureau: Bureau, admin: Person) -> None:
    for role in ("inspector", "auxiliary", "reviewer", "supervisor"):
        refused(bureau.person(role).get("/journal/entries?from=0"), 403)
    assert granted(admin.get("/journal/entries?from=0&limit=1"))["entries"]


def test_changes_openings_and_refusals_are_entered(bureau: Bureau, auditor: Person) -> None:
    device = bureau.handheld(SCOPE)
    stranger = bureau.person("supervisor", scopes=("320402001",))
    start = newest(auditor).size
    finding, content = device.report(SCOPE), a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    device.upload(content)
    assert device.get(f"/media/{sha256(content)}").status_code == 200
    refused(stranger.command("finding", finding, "cancel", {"reason": "x"}), (403, 404))
    refused(device.owner.command("finding", finding, "cancel", {"reason": "x"}), 403)

    def text() -> str:
        return str(all_entries(auditor, start))

    assert eventually(lambda: finding in text() and sha256(content) in text(), within_s=12)
    assert device.owner.id in text(), "a refused access names who asked"
    kinds = {entry["kind"] for entry in all_entries(auditor, start)}
    assert len(kinds) >= 3, kinds


def test_personal_values_never_stand_in_the_journal(bureau: Bureau, auditor: Person) -> None:
    device = bureau.handheld(SCOPE)
    start = newest(auditor).size
    secret = "欧阳见证人" + sha256(moment().encode())[:8]
    letter = device.create("letter", SCOPE, {"period": "2026", "signed_at": moment(-60), "witness": secret})
    device.deliver(letter)
    finding = device.report(SCOPE, text=secret)
    entries = eventually(lambda: [entry for entry in all_entries(auditor, start) if finding in str(entry)], within_s=12)
    assert entries
    assert secret not in str(all_entries(auditor, start))


def test_the_command_line_verifies_the_whole(server: Any) -> None:
    done = server.cli("verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
