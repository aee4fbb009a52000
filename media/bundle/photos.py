"""The photos of a bundle: bytes, the entry that the device signed, its chain, and when they were taken at
the earliest and the latest.

Part of the program that a bundle carries. A doubt that the server told of a photo is told as a note: people judge it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from media.bundle.curves import p256_holds
from media.bundle.log import open_checkpoint, read_proof, root_by, sha256
from media.bundle.telling import Bag, Report


def check_photos(bag: Bag, report: Report) -> None:
    """Every piece of evidence, and the stretch of each device's chain that it stands in."""
    evidence = {record["id"]: record for record in bag.case()["records"] if record["type"] == "evidence"}
    chains = {device["id"]: _check_device(bag, report, device["id"]) for device in bag.case()["devices"]}
    for photo in bag.case()["photos"]:
        where = f"{photo['role']} {photo['sha256'][:12]} ({photo['evidence_id']})"
        with report.reading(f"data/case.json ({where})"):
            record = evidence[photo["evidence_id"]]
            if record["fields"]["sha256"] != photo["sha256"]:
                report.wrong(f"{where} 与其记录不符", f"{where} is not the photo of its record")
            _check_photo(bag, report, where, photo, record, chains.get(photo["device_id"], {}))
        for code in photo["flags"]:
            report.note(f"存疑标记 {where}:{code}", f"Flag on {where}: {code}")


def _check_photo(bag: Bag, report: Report, where: str, photo: dict[str, Any], record: dict[str, Any],
                 chain: dict[int, list[str]]) -> None:
    before, held = report.failures, []
    if photo["original"]:
        if bag.digests.get(photo["original"]) != photo["sha256"]:
            report.wrong(f"{photo['original']} 不是记录所载的照片", f"{photo['original']} is not the photo that the "
                                                                    f"record names: {photo['sha256']}")
        held.append("bytes")
    if photo["shown"]:
        _check_copy(bag, report, where, photo)
    since = None
    if photo["sidecar"]:
        content = (bag.root / photo["sidecar"]).read_bytes()
        entry = json.loads(content)
        _check_sidecar(report, photo, entry, record)
        if chain and sha256(content).hex() in chain.get(entry["seq"], ()):
            held.append("chain")
        elif chain:
            report.wrong(f"{photo['sidecar']} 不在设备的链中", f"{photo['sidecar']} is not in the chain of its device")
        held += _check_signature(bag, report, photo, content)
        since = _not_before(bag, report, entry["beacon"]) if entry["beacon"] else None
    until = next((entry.at for entry in bag.entries.values() if entry.kind == "change"
                  and entry.about == photo["evidence_id"] and entry.body["version"] == 1), None)
    after = (f"{since} 之后、", f"after {since} and ") if since else ("", "")
    report.group(before, f"照片 {where}:摄于 {after[0]}{until} 之前 ({'、'.join(held) or '仅摘要'})",
                 f"Photo {where}: taken {after[1]}before {until} (holds: {', '.join(held) or 'digest'})")


def _check_copy(bag: Bag, report: Report, where: str, photo: dict[str, Any]) -> None:
    """Is the copy that is shown the one of which the journal tells? One that a person made has an entry of its own,
    the others stand in that of the photo's last check; older releases entered none."""
    copy, path = photo["made"], photo["shown"]
    made = [entry for entry in bag.entries.values() if entry.kind == "derivative" and entry.about == photo["sha256"]
            and entry.body["kind"] == copy["kind"]]
    checked = [entry.body["renditions"].get(copy["kind"]) for _, entry in sorted(bag.entries.items())
               if entry.kind == "photo_checked" and entry.about == photo["sha256"]]
    by_person = [(entry.actor, entry.body["sha256"]) for entry in made] == [(copy["made_by"], copy["sha256"])]
    by_check = not checked or checked[-1] == copy["sha256"]
    if not checked and not copy["made_by"]:
        report.note(f"{path}:日志没有登记此副本", f"{path}: the journal tells nothing of this copy")
    if bag.digests.get(path) != copy["sha256"] or not (by_person if copy["made_by"] else by_check):
        report.wrong(f"{path} 不是日志所载的副本", f"{path} is not the copy of which the journal tells")
    if bag.case()["profile"] != "court" and not copy["made_by"]:
        report.note(f"{where} 未作遮盖", f"{where} is shown as it is: nobody drew what to cover")


def _check_sidecar(report: Report, photo: dict[str, Any], entry: dict[str, Any], record: dict[str, Any]) -> None:
    """Does the entry that the device made say what the record says?"""
    fields = record["fields"]
    position = fields.get("position")
    if position:
        position = {name: value for name, value in position.items() if name != "normalized"}
    capture = fields["capture"]
    told = {"device_id": photo["device_id"], "record_id": record["id"], "sha256": photo["sha256"],
            "bytes": fields["bytes"], "captured_at": fields["captured_at"], "position": position,
            "seq": capture["seq"], "prev": capture["prev"], "beacon": capture.get("beacon")}
    altered = [name for name in told if entry[name] != told[name]]
    if altered:
        report.wrong(f"{photo['sidecar']} 的 {'、'.join(altered)} 与记录不符",
                     f"{photo['sidecar']}: {', '.join(altered)} is not as in the record")


def _check_signature(bag: Bag, report: Report, photo: dict[str, Any], content: bytes) -> list[str]:
    path, key = photo["sidecar"][:-len(".json")] + ".sig", _enrolled_key(bag, photo["device_id"])
    if key and path in bag.digests and p256_holds(*key, content, _base64url(bag.text(path).strip())):
        return ["signature"]
    if key and "signature_invalid" not in photo["flags"]:
        report.wrong(f"{path} 不是该设备的签名", f"{path} is not the signature of the device over {photo['sidecar']}")
    elif not key:
        report.note(f"{photo['sidecar']}:设备没有登记密钥", f"{photo['sidecar']}: its device enrolled without a key")
    return []


def _enrolled_key(bag: Bag, device_id: str) -> tuple[int, int] | None:
    """The key with which the journal says that the device enrolled."""
    jwk = next((entry.body["public_key"] for entry in bag.entries.values()
                if entry.kind == "device_enrolled" and entry.about == device_id), None)
    if jwk is None:
        return None
    x, y = (int.from_bytes(_base64url(jwk[name]), "big") for name in ("x", "y"))
    return x, y


def _not_before(bag: Bag, report: Report, beacon: str) -> str | None:
    """When the newest entry was made that stood in the log whose root the device had seen."""
    path = f"data/journal/beacons/{beacon}.tlog-proof"
    if path not in bag.digests:
        report.note(f"信标 {beacon[:12]} 不在此日志中", f"The beacon {beacon[:12]} is not of this journal")
        return None
    with report.reading(path):
        index, hashes, note = read_proof(bag.text(path))
        size, root = open_checkpoint(note, bag.key)
        entry = bag.entries[index]
        if index != size - 1 or root.hex() != beacon or root_by(index, size, entry.text.encode(), hashes) != root:
            raise ValueError("the newest entry under this root is another one")
        return entry.at
    return None


def _check_device(bag: Bag, report: Report, device_id: str) -> dict[int, list[str]]:
    """Hashes by number of the device's chain, whose gaps and forks are told; its key must be the journal's."""
    chain: dict[int, list[str]] = {}
    path = f"data/devices/{device_id}.json"
    with report.reading(path):
        jwk = json.loads(bag.text(path))["public_key"]
        told = tuple(int.from_bytes(_base64url(jwk[name]), "big") for name in ("x", "y")) if jwk else None
        if told != _enrolled_key(bag, device_id):
            report.wrong(f"{path} 的密钥不是日志中登记的密钥", f"{path}: not the key with which the journal says that "
                                                            "the device enrolled")
    path = f"data/chains/{device_id}.jsonl"
    if path in bag.digests:
        with report.reading(path):
            for link in sorted(map(json.loads, bag.lines(path)), key=lambda one: int(one["seq"])):
                seq = link["seq"]
                if seq in chain:
                    report.note(f"{path}:第 {seq} 张有两条,链分叉", f"{path}: a fork, two entries of number {seq}")
                elif chain and seq - 1 not in chain:
                    report.note(f"{path}:缺第 {max(chain) + 1} 至 {seq - 1} 张",
                                f"{path}: a gap from {max(chain) + 1} to {seq - 1}")
                elif chain and link["prev"] not in chain[seq - 1]:
                    report.note(f"{path}:第 {seq} 张不接前一条", f"{path}: number {seq} does not follow the one before")
                chain.setdefault(seq, []).append(link["hash"])
    return chain


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
