"""The outbox of a device that cannot come itself, brought by the office from a file (`bin/menqian outbox import`).

It goes through the doors of everybody: each push as the device signed it, each photo by its digest. Whose work it is
does not change; who brought it stands in the journal, before the first row and after the last. A revoked device's work
is taken, for that is what such a file is for: somebody decides to bring it, and every row of it can be found by its
device. What the device brings itself later, or what somebody brings twice, is a replay.
"""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from media import uploads
from media.stores import StoreUnavailable
from schemas.problems import Problem
from schemas.push import load_envelope
from server import arrivals, intake, jobs
from server.auth import Principal, device_of
from server.db import db, jotting, writing
from server.house import house
from server.models import User
from server.unreadable import read_push
from sync.outbox_file import OutboxFile, OutboxFileInvalid, PhotoBytes, Push, opened
from sync.push import push as push_mutations
from sync.push import read, sound_of

BROUGHT, DONE = "outbox_import", "outbox_imported"
OUTCOMES = ("applied", "merged", "conflicted", "held", "quarantined", "replayed")
Tell = Callable[[str], None]


def bring(path: Path, by: str | None, tell: Tell) -> dict[str, Any]:
    """Deliver what the file holds, and say what became of it; `whole` is true when nothing of it is left outside.

    Raises OutboxFileInvalid, before anything is written, for a file that is not as its device wrote it, and Problem for
    one who may not bring it. Interrupted, it is simply done again.
    """
    settings = house().settings
    with opened(path, push_bytes=settings.push_bytes, upload_bytes=settings.upload_bytes) as file:
        actor, account = _one_at_the_console(by)
        device, state = _device_of(file)
        file.must_be_of(device.public_key)
        bodies = [(push, _loaded(push)) for push in file.pushes]
        journalled = {"sha256": file.sha256, "made_at": file.said["made_at"], "device_state": state,
                      "signed": device.public_key is not None, "photos": len(file.photos),
                      "numbers": [file.pushes[0].first, file.pushes[-1].last] if file.pushes else None}
        with writing() as door:
            door.record_entry(BROUGHT, actor, device.id, journalled, aside={"account": account})
            epoch = door.gate.epoch
        if file.said.get("epoch") not in (None, epoch):
            tell("文件早于本服务器的恢复 this server was restored since: what it took before may be missing here")
        counts, problem = _pushed(device.id, bodies, tell)
        photos = _photos(file, device, tell)
        whole = problem is None and not (photos["refused"] or photos["waiting"] or photos["lacking"])
        found = {"device_id": device.id, "person": device.name, **{name: counts[name] for name in OUTCOMES},
                 "photos": photos, "problem": problem, "whole": whole}
        with writing() as door:
            door.record_entry(DONE, actor, device.id, {"sha256": file.sha256, "whole": whole, **{
                name: counts[name] for name in OUTCOMES if counts[name]}, "photos": {
                    name: count if isinstance(count, int) else len(count) for name, count in photos.items()}})
    return found


def _one_at_the_console(by: str | None) -> tuple[str, str]:
    """Who brings it, as the journal names him: (a supervisor's or admin's id, or `console`; the machine's account)."""
    account = getpass.getuser()
    if by is None:
        return "console", account
    user = db.session.execute(select(User).where(User.username == by)).scalar_one_or_none()
    db.session.rollback()
    if user is None or not user.active:
        raise Problem("not_found", f"无此人员 no such person, or inactive: {by}")
    if not {"supervisor", "admin"} & {*user.roles}:
        raise Problem("role_forbidden", f"须为督查或管理员 {by} is neither supervisor nor admin")
    return user.id, account


def _device_of(file: OutboxFile) -> tuple[Principal, str]:
    found = device_of(file.said["device_id"])
    db.session.rollback()
    if found is None:
        raise OutboxFileInvalid(f"本服务器不认识此设备 this server does not know the device {file.said['device_id']}: "
                                "it enrolled elsewhere, or after the backup that was restored here")
    return found


def _loaded(push: Push) -> list[dict[str, Any]]:
    """The mutations of a push, in the shape of the protocol and with the numbers that were told."""
    settings = house().settings
    try:
        mutations, _ = load_envelope(read_push(push.body, settings.mutations_per_push))
    except Problem as problem:
        raise OutboxFileInvalid(f"第 {push.first} 号起 from number {push.first} on: {problem.detail}") from problem
    if len(mutations) > settings.mutations_per_push:
        raise OutboxFileInvalid(f"一批过多 more than {settings.mutations_per_push} mutations in one push")
    if not mutations or (mutations[0]["n"], mutations[-1]["n"]) != (push.first, push.last):
        raise OutboxFileInvalid(f"编号不符 the numbers {push.first} to {push.last} are not those of the push")
    return mutations


def _pushed(device_id: str, bodies: list[tuple[Push, list[dict[str, Any]]]], tell: Tell
            ) -> tuple[Counter[str], dict[str, Any] | None]:
    """Each push in a transaction of its own, as the device's would be; ends at the first that is refused whole."""
    counts: Counter[str] = Counter()
    for push, mutations in bodies:
        device, _ = device_of(device_id) or (None, "")
        assert device is not None  # devices are never removed
        came = read(mutations, house().settings.mutation_bytes)
        foreseen = house().rules.foresee(db.session(), sound_of(came, device.last_n or 0))
        try:
            with writing() as door:
                outcomes = push_mutations(door, device.writer(), came, {}, foreseen, brought=True)
        except Problem as problem:
            return counts, {"code": problem.code, "detail": _in_words(problem, push),
                            "numbers": [push.first, bodies[-1][0].last]}
        counts.update("replayed" if outcome["replayed"] else outcome["outcome"] for outcome in outcomes)
        tell(f"第 {push.last} 号止 up to number {push.last}")
    return counts, None


def _in_words(problem: Problem, push: Push) -> str:
    if problem.code == "sequence_gap":
        return (f"本服务器缺该设备此前的操作(曾恢复备份),自第 {push.first} 号起未导入 this server lacks what the "
                f"device delivered before (it was restored): nothing from number {push.first} on was taken")
    if problem.code == "device_forked":
        return ("该设备有副本,编号已被占用;设备尚在时请重新邀请 a copy of this device used these numbers for other "
                f"work; invite the device anew while it lives: {problem.detail}")
    return str(problem.detail)


def _photos(file: OutboxFile, device: Principal, tell: Tell) -> dict[str, Any]:
    """How many photos are `stored` now, were `known`; which were `refused` and why, are `waiting` for room or store,
    and which the device itself no longer had (`lacking`)."""
    found: dict[str, Any] = {"stored": 0, "known": 0, "refused": [], "waiting": [],
                             "lacking": [one for one in file.said.get("lacking") or () if isinstance(one, str)]}
    for number, photo in enumerate(file.photos, 1):
        try:
            found[_brought(file, photo, device.id)] += 1
        except (Problem, OutboxFileInvalid, StoreUnavailable) as error:
            passing = isinstance(error, StoreUnavailable) or getattr(error, "code", "") in ("unavailable", "busy")
            code = error.code if isinstance(error, Problem) else "store_unavailable" if passing else "damaged"
            found["waiting" if passing else "refused"].append({"sha256": photo.sha256, "code": code})
            tell(f"照片 photo {photo.sha256}: {getattr(error, 'detail', None) or error}")
        if number % 100 == 0:
            tell(f"照片 photos {number}/{len(file.photos)}")
    return found


def _brought(file: OutboxFile, photo: PhotoBytes, owner: str) -> str:
    """One photo through the door of uploads: its bytes must hash to its name."""
    state = house()
    known = uploads.stands(db.session(), state.store, photo.sha256, photo.bytes)
    db.session.rollback()
    if known:
        return "known"
    intake.must_have_room(photo.bytes)
    blocks = file.blocks_of(photo)
    first = next(blocks, b"")  # a file that is damaged here leaves no upload behind
    with jotting() as session:
        upload = uploads.create(session, state.settings.spool, state.clock(), str(UUID(
            bytes=state.random_bytes(16), version=4)), sha256=photo.sha256, media_type=photo.media_type,
            length=photo.bytes, owner=owner, lifetime=timedelta(hours=state.settings.upload_hours), known=False)
    with uploads.held(state.settings.spool, upload) as spooled:
        try:
            uploads.receive(spooled, upload, 0, chain([first], blocks))
        except OutboxFileInvalid:
            with writing() as door:
                uploads.terminate(door, upload)
            (state.settings.spool / upload.id).unlink()
            raise
        arrivals.complete(upload)
    jobs.check_photo(photo.sha256, photo.bytes)
    return "stored"
