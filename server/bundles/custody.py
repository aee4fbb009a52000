"""The custody line 保管链: through whose hands each photo of a case went, and where the journal says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from media.derivatives import DISPLAY, REDACTED
from media.derivatives import ENTRY as COPIED
from schemas.values import parse_time, stamp
from server.bundles.case import Case, Happening
from server.bundles.files import Issue
from sync.kept import Kept

FAMILIES = {REDACTED: "redacted", DISPLAY: "stamped"}
STEP_OF = {"decision": "reviewed", "opened": "opened", "export": "exported", "exported": "delivered"}
TOLD = ("decision", "state", "profile", "sha256", "bundle")


def custody_of(case: Case, happened: Sequence[Happening], issues: Iterable[Issue]) -> list[dict[str, Any]]:
    """`{step, at, by, about, index?, …}` by time. `captured` is as the device's clock says, all else the server's."""
    index = {(one.about, one.body["version"]): one.index for one in happened if one.kind == "change"}
    line = [step for kept in case.evidence for step in _of_photo(kept, case, index)]
    photos = {kept.id: kept for kept in case.evidence}
    line += [{"step": STEP_OF[one.kind], "at": one.at, "by": one.actor, "about": one.about, "index": one.index,
              **{name: one.body[name] for name in TOLD if name in one.body},
              **(_photo(photos[one.body["evidence_id"]]) if one.kind == "opened" else {})}
             for one in happened if one.kind in STEP_OF]
    line += [{"step": FAMILIES[one.body["kind"].rpartition("-")[0]], "at": one.at, "by": one.actor, "index": one.index,
              "copy": one.body["kind"], **_photo(photos[one.body["evidence_id"]])}
             for one in happened if one.kind == COPIED]
    line += [{"step": one.kind, "at": one.at, "by": one.actor, "index": one.index, **_photo(kept)}
             for one in happened if one.kind == "disposed" for kept in case.evidence
             if kept.fields["sha256"] == one.about]
    line += [{"step": "documented", "at": issue.at, "by": issue.actor, "about": issue.record_id,
              "index": index.get((issue.record_id, issue.version))} for issue in issues]
    return sorted(line, key=lambda one: stamp(parse_time(one["at"])))


def _of_photo(kept: Kept, case: Case, index: dict[tuple[str, int], int]) -> Iterable[dict[str, Any]]:
    photo = case.photos.get(kept.fields["sha256"])
    both = _photo(kept)
    by = {"by": kept.created_by, "device": kept.device_id}
    yield {"step": "captured", "at": kept.fields["captured_at"], **by, **both}
    yield {"step": "received", "at": kept.created_at, "index": index.get((kept.id, 1)), **by, **both}
    if photo is not None and photo.checked_at:
        yield {"step": photo.state, "at": photo.checked_at, "by": "server", **both}
    if photo is not None and photo.sha256 in case.held:
        yield {"step": "held", "at": case.held[photo.sha256], "by": "server", **both}


def _photo(kept: Kept) -> dict[str, Any]:
    return {"about": kept.id, "sha256": kept.fields["sha256"], "role": kept.fields["role"]}
