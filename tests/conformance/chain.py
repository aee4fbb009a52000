"""Section 7: the capture chain, held against our own canonical JSON and signatures."""

from __future__ import annotations

import base64
from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device, place
from tests.conformance.office import Office
from tests.conformance.wire import Parts, moment, new_id, sha256

holds = subject("chain", "7")
CODES = {"chain_gap", "chain_fork", "signature_invalid", "unsigned"}
NOTICED_WITHIN_S = 15


def shot(device: Device, finding: str, **fields: Any) -> Parts:
    return device.capture(new_id().encode(), finding, **fields)


def flags(device: Device, mutation: Parts) -> set[str]:
    """The codes of the chain that stand on this evidence."""
    fields = device.owner.fields("evidence", mutation["record_id"])
    return {flag["code"] for flag in fields.get("flags") or []} & CODES


def must_get(device: Device, mutation: Parts, code: str) -> None:
    seen = device.until(lambda: code in flags(device, mutation), within_s=NOTICED_WITHIN_S)
    must(seen, f"flag {code}", flags(device, mutation))


@holds("The entry that is hashed and signed is the RFC 8785 canonical JSON of")
def an_unbroken_chain_has_no_flag(office: Office) -> None:
    device = office.device()
    finding = device.report()
    shots = [shot(device, finding), shot(device, finding, position=place(119.95, 31.7, accuracy_m=8.0)),
             shot(device, finding, position=place(1e-7, -31.123456789, accuracy_m=12.5))]
    for each in shots:
        device.give(each)
    clean = device.until(lambda: not any(flags(device, each) for each in shots), within_s=NOTICED_WITHIN_S)
    must(clean, "no flag of the chain", [flags(device, each) for each in shots])


@holds("A missing seq is a gap that the server opens as an item to explain (chain_gap)")
def a_missing_entry_is_a_gap_until_it_arrives(office: Office) -> None:
    device = office.device()
    finding = device.report()
    first, second, third = (shot(device, finding) for _ in range(3))
    device.give(first)
    device.give({**third, "n": second["n"]})
    must_get(device, third, "chain_gap")
    device.give({**second, "n": third["n"]})
    gone = device.until(lambda: not flags(device, third), within_s=NOTICED_WITHIN_S)
    must(gone, "no gap once the entry arrived", flags(device, third))


@holds("two entries with one seq are a fork (chain_fork), as is a prev that does not match")
def two_entries_with_one_number_are_a_fork(office: Office) -> None:
    device = office.device()
    finding = device.report()
    device.give(shot(device, finding))
    seq, prev = device.seq, device.prev
    one = shot(device, finding)
    device.seq, device.prev = seq, prev
    twin = shot(device, finding)
    device.give(one)
    device.give(twin)
    must_get(device, one, "chain_fork")
    must_get(device, twin, "chain_fork")


@holds("two entries with one seq are a fork (chain_fork), as is a prev that does not match")
def a_previous_hash_that_does_not_match_is_a_fork(office: Office) -> None:
    device = office.device()
    finding = device.report()
    device.give(shot(device, finding))
    device.prev = sha256(b"another history")
    second = shot(device, finding)
    device.give(second)
    must_get(device, second, "chain_fork")


@holds("a signature that does not verify is signature_invalid")
def what_was_changed_after_signing_is_noticed(office: Office) -> None:
    device = office.device()
    finding = device.report()
    for change in ({"captured_at": "2026-01-01T00:00:00.000Z"}, {"bytes": 12_345}, {"position": place(120, 30)}):
        mutation = shot(device, finding)
        mutation["set"] |= change
        device.give(mutation)
        must_get(device, mutation, "signature_invalid")


@holds("A flag never refuses a photo; people decide")
def a_device_without_a_key_is_flagged_and_taken(office: Office) -> None:
    device = office.device(signs=False)
    mutation = shot(device, device.report())
    device.give(mutation)
    must_get(device, mutation, "unsigned")


@holds('evidence.bracket = {"not_before": time of the beacon\'s checkpoint, "not_after": time of receipt}')
def the_bracket_stands_between_beacon_and_receipt(office: Office) -> None:
    device = office.device()
    finding = device.report()
    root = base64.b64decode(device.get("/journal/checkpoint").text.splitlines()[2]).hex()
    brackets = []
    for beacon in (root, None):
        mutation = shot(device, finding, beacon=beacon, captured_at=moment(-5 * 365 * 86_400))
        device.give(mutation)

        def look(id: str = mutation["record_id"]) -> Parts | None:
            return device.owner.fields("evidence", id).get("bracket")

        brackets.append(device.until(look, within_s=NOTICED_WITHIN_S))
        must_have(brackets[-1], "not_before not_after", "a bracket")
    bound, free = brackets
    must(moment(-365 * 86_400) < bound["not_before"] <= bound["not_after"] <= moment(60), "not_before ≤ not_after, of "
         "the server's clock and not of the device's", bound)
    must_be(free["not_before"], None, "not_before without a beacon")
