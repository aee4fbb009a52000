"""The capture chain: what a device vouched for when it took a photo, and whether its chain holds (protocol section 7).

Pure; serves the door through which evidence comes, the nightly audit and bundles. A flag says what people must look at;
it never refuses a photo. Flags are `{code, detail, about?}` with figures and the `rule` that found them in `detail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rfc8785

from sync import signing

FIRST_SEQ = 1
FIRST_PREV = "0" * 64
SHA256_HEX = re.compile(r"[0-9a-f]{64}")

Flag = dict[str, Any]


class EntryInvalid(ValueError):
    """A capture of which no chain entry can be made."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry's place in the chain of its device."""

    seq: int
    prev: str
    hash: str
    record_id: str


def entry_bytes(device_id: str, capture: Mapping[str, Any], fields: Mapping[str, Any], record_id: str) -> bytes:
    """The RFC 8785 canonical JSON that the device hashed and signed; raises EntryInvalid.

    `capture` is the evidence's `{seq, prev, beacon}`, `fields` its other fields, with the position as it was sent.
    """
    _check_capture(capture)
    position = fields.get("position")
    if position is not None:
        position = {name: value for name, value in position.items() if name != "normalized"}
    try:
        return rfc8785.dumps({
            "device_id": device_id, "seq": capture["seq"], "prev": capture["prev"], "beacon": capture.get("beacon"),
            "sha256": fields["sha256"], "bytes": fields["bytes"], "captured_at": fields["captured_at"],
            "position": position, "record_id": record_id})
    except KeyError as missing:
        raise EntryInvalid(f"no {missing.args[0]}") from None
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise EntryInvalid(str(error)) from None


def entry_hash(entry: bytes) -> str:
    """Hex SHA-256 of an entry: the `prev` of the next one."""
    return sha256(entry).hexdigest()


def link_of(device_id: str, capture: Mapping[str, Any], fields: Mapping[str, Any], record_id: str) -> Link:
    """The place of this capture in its device's chain; raises EntryInvalid."""
    entry = entry_bytes(device_id, capture, fields, record_id)
    return Link(capture["seq"], capture["prev"], entry_hash(entry), record_id)


def signature_valid(public_jwk: Mapping[str, Any], sig_b64url: object, entry: bytes) -> bool:
    """Did the device with this key sign the entry? Never raises."""
    return signing.verify(public_jwk, sig_b64url, entry)


def check_signature(public_jwk: Mapping[str, Any] | None, device_id: str, capture: Mapping[str, Any] | None,
                    fields: Mapping[str, Any], record_id: str) -> list[Flag]:
    """The flag on a capture that its device did not sign; never raises.

    `unsigned`: the device has no key, or the photo came without a capture. `signature_invalid`: the device has a key,
    and the signature is missing, wrong, or over something of which no entry can be made.
    """
    if public_jwk is None or capture is None:
        return [_flag("unsigned", rule="no key" if public_jwk is None else "no capture")]
    try:
        entry = entry_bytes(device_id, capture, fields, record_id)
    except EntryInvalid as error:
        return [_flag("signature_invalid", rule="no entry", reason=str(error))]
    if signature_valid(public_jwk, capture.get("sig"), entry):
        return []
    return [_flag("signature_invalid", rule="wrong signature" if capture.get("sig") else "no signature")]


def check_link(link: Link, known: Iterable[Link]) -> list[Flag]:
    """The `chain_gap` and `chain_fork` flags of one link as the chain is known now, whatever arrived first.

    Of `known`, the links of the same device, only those with the same `seq` and with the nearest lower one matter. When
    a link arrives, its own flags and those of `touched_by` are to be computed anew, and replace the old ones: so a gap
    closes by itself.
    """
    others = [other for other in known if other.record_id != link.record_id]
    flags = [_flag("chain_fork", about=twin.record_id, rule="two entries with one seq", seq=link.seq)
             for twin in sorted((other for other in others if other.seq == link.seq), key=lambda twin: twin.record_id)]
    below = max((other.seq for other in others if other.seq < link.seq), default=FIRST_SEQ - 1)
    if below < link.seq - 1:
        return [*flags, _flag("chain_gap", rule="seq missing", missing_from=below + 1, missing_to=link.seq - 1)]
    expected = {other.hash for other in others if other.seq == below} or {FIRST_PREV}
    if link.prev not in expected:
        flags.append(_flag("chain_fork", rule="prev does not match", seq=link.seq, prev=link.prev,
                           expected=sorted(expected)))
    return flags


def touched_by(link: Link, known: Iterable[Link]) -> list[Link]:
    """The known links whose flags may change because of this one: those beside it and those next above."""
    others = [other for other in known if other.record_id != link.record_id]
    above = min((other.seq for other in others if other.seq > link.seq), default=None)
    return [other for other in others if other.seq in (link.seq, above)]


def bracket(beacon_at: str | None, received_at: str) -> dict[str, str | None]:
    """When the photo was taken, whatever the device's clock says: after its beacon's checkpoint, before its receipt.

    Both are wire times; `not_before` is null when the device named no checkpoint of this journal.
    """
    return {"not_before": beacon_at, "not_after": received_at}


def _check_capture(capture: Mapping[str, Any]) -> None:
    """Raise EntryInvalid unless `seq`, `prev` and `beacon` have the form of protocol section 7."""
    seq, prev, beacon = capture.get("seq"), capture.get("prev"), capture.get("beacon")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < FIRST_SEQ:
        raise EntryInvalid("seq is not a number from 1 on")
    if not _is_hash(prev):
        raise EntryInvalid("prev is not 64 lower-case hex digits")
    if beacon is not None and not _is_hash(beacon):
        raise EntryInvalid("beacon is neither null nor 64 lower-case hex digits")


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and SHA256_HEX.fullmatch(value) is not None


def _flag(code: str, about: str | None = None, **detail: object) -> Flag:
    return {"code": code, "detail": detail} | ({"about": about} if about else {})
