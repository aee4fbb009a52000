"""Work behind the answer: photo checks, and a tick that signs checkpoints, expires what waited, sweeps the spool and
begins audits.

The queue only hints: what it forgets (a crash between commit and hint, a Redis that came back empty) the tick finds
again in the database, and the rounds are asked for by the clock of the worker's process, whatever the queue remembers.
What takes little goes before what takes long: ticks, then small photos, then the large ones of a whole shift.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app
from huey import Huey, MemoryHuey, PriorityRedisHuey, SqliteHuey
from huey.consumer import Consumer
from redis import RedisError

from media import checks, incidents, reused, sweep
from media.stores import StoreUnavailable
from server import arrivals, compaction, holds, nightly, snapshots, timestamps, witness
from server.config import Settings
from server.db import db, fresh_checkpoint, writing
from server.house import house
from server.keeping import orders, removal
from server.reference import settings
from sync import held

log = structlog.get_logger()
TICK_SECONDS = 5
ROUNDS = {"tick": TICK_SECONDS, "compact": 24 * 3600, "timestamp": 3600}
"""The seconds from one to the next."""
AWAY = (RedisError, sqlite3.Error, OSError)
"""What a queue raises that cannot be reached, or cannot write."""
COMPARED_A_TICK = 50
FIRST, SOON, AFTER = 100, 10, 0  # priorities
SMALL_BYTES = 1_000_000


def open_queue(settings: Settings) -> Huey:
    """The queue of the settings; `immediate:` runs each job at once, in tests and simulations."""
    if settings.queue_url.startswith("immediate:"):
        return MemoryHuey("menqian", immediate=True)
    if settings.queue_url.startswith("redis"):
        return PriorityRedisHuey("menqian.lanes", url=settings.queue_url)
    return SqliteHuey("menqian", filename=urlsplit(settings.queue_url).path, fsync=False)


def init_app(app: Flask) -> None:
    """Open the app's queue and declare its tasks."""
    queue = open_queue(app.extensions["menqian"].settings)
    app.extensions["menqian_queue"] = queue

    def task(work: Callable[..., None], **options: Any) -> Callable[..., Any]:
        def run(*args: Any) -> None:
            with app.app_context():
                try:
                    work(*args)
                finally:
                    db.session.remove()
        run.__name__ = work.__name__
        return queue.task(name=work.__name__, **options)(run)

    # A round that waits behind a long job is nothing worth when the next is asked for.
    app.extensions["menqian_tasks"] = {"check_photo": task(_check_photo, retries=3, retry_delay=5),
                                       "resume": task(_resume, priority=FIRST),
                                       **{name: task(work, priority=FIRST, expires=ROUNDS[name]) for name, work in (
                                           ("tick", _tick), ("compact", _compact), ("timestamp", _timestamp))}}


def check() -> None:
    """Raise when the queue cannot be reached."""
    current_app.extensions["menqian_queue"].pending_count()


def check_photo(sha256: str, length: int = SMALL_BYTES) -> None:
    """Ask for the check of a stored photo of so many bytes; a queue that is away is told by the tick."""
    try:
        current_app.extensions["menqian_tasks"]["check_photo"](sha256, priority=SOON if length < SMALL_BYTES else AFTER)
    except AWAY as error:
        log.warning("queue_away", error=type(error).__name__, photo=sha256, pid=os.getpid())


def run_worker(app: Flask) -> None:
    """Run jobs in this process until SIGTERM; the tick comes round every few seconds."""
    queue: Huey = app.extensions["menqian_queue"]
    threading.Thread(target=_ask_for_rounds, args=(app,), name="rounds", daemon=True).start()
    Consumer(queue, workers=1, periodic=False, initial_delay=0.05, max_delay=0.25, scheduler_interval=1,
             worker_type="thread").run()


def _ask_for_rounds(app: Flask) -> None:
    """Ask for each round when it is due, for as long as the process lives. The first thing is to take up what a killed
    worker left, then a tick; what comes once a day or an hour begins a little later."""
    queue, tasks = app.extensions["menqian_queue"], app.extensions["menqian_tasks"]
    due = {"resume": 0.0, **dict.fromkeys(ROUNDS, time.monotonic() + TICK_SECONDS), "tick": 0.0}
    away = False
    while True:
        try:
            for name in [name for name, at in due.items() if at <= time.monotonic()]:
                tasks[name]()
                if name == "resume":
                    queue.storage.flush_schedule()  # of an older release, which planned its rounds there
                    del due[name]
                else:
                    due[name] = time.monotonic() + ROUNDS[name]
            away = False
        except AWAY as error:
            if not away:
                log.error("queue_away", error=type(error).__name__, pid=os.getpid())
            away = True
        time.sleep(0.05 if "resume" in due else 0.5)


def _check_photo(sha256: str) -> None:
    state = house()
    found = checks.examine(db.session(), state.store, sha256, heif=state.settings.heif,
                           directory=state.settings.spool)
    db.session.rollback()
    if found is not None:
        with writing() as door:
            checks.conclude(door, sha256, found)


def _tick() -> None:
    """One round."""
    fresh_checkpoint()
    if wrong := witness.keep():
        log.error(wrong[0], detail=wrong[1], pid=os.getpid())
    with writing() as door:
        held.settle_arrived(door)
        if expired := held.expire(door):
            log.warning("held_expired", count=expired, pid=os.getpid())
    _take_up(checks.FORGOTTEN_AFTER, sweep.QUIET)
    with writing() as door:
        if ended := orders.end_due(door):
            log.info("legal_holds_ended", count=ended, pid=os.getpid())
        sweep.sweep_uploads(door, house().settings.spool)
        if opened := incidents.open_due(door, timedelta(hours=settings("incidents")["gap_grace_hours"])):
            log.warning("incidents_opened", count=opened, pid=os.getpid())
    snapshots.sweep()
    _compare_stored()
    _settle_holds()
    if became := removal.remove_due(house().store, house().clock()):
        log.info("disposals", **became, pid=os.getpid())
    _audit()


def _audit() -> None:
    """Begin the audit that is due or asked for. It may take an hour and must not keep the next tick waiting."""
    state = house()
    if not nightly.wanted(db.session(), state.clock(), state.settings.verify_at):
        return
    with writing() as door:
        run_id = nightly.take(door, state.settings.verify_at)
    if run_id is None:
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the app itself: a thread has no proxy

    def perform() -> None:
        with app.app_context():
            result = nightly.perform(run_id)
            log.info("audited", ok=result["ok"], found=result["found"], run=run_id, pid=os.getpid())

    if current_app.extensions["menqian_queue"].immediate:
        perform()
    else:
        threading.Thread(target=perform, name="audit", daemon=True).start()


def _compare_stored() -> None:
    """Photos that an older release checked find their place among the others, a few at a time."""
    state = house()
    waiting = reused.uncompared(db.session(), COMPARED_A_TICK)
    for sha256 in waiting:
        write = checks.compare_again(db.session(), state.store, sha256, state.settings.spool)
        db.session.rollback()
        with writing() as door:
            write(door)
    db.session.rollback()


def _resume() -> None:
    """What a worker does first: a killed one may have left anything behind, so that nothing waits for its time."""
    _take_up(timedelta(), timedelta())


def _compact() -> None:
    """Once a day, where the settings say so."""
    state = house()
    if state.settings.compact_days:
        gone = compaction.compact(state.clock() - timedelta(days=state.settings.compact_days))
        log.info("compacted", **gone, pid=os.getpid())


def _timestamp() -> None:
    """Once a day, where the settings name an authority; it is looked after every hour, for one may have been away."""
    if house().settings.tsa_url:
        try:
            if size := timestamps.stamp_daily():
                log.info("timestamped", size=size, pid=os.getpid())
        except timestamps.NotStamped as error:
            log.warning("not_timestamped", error=str(error), pid=os.getpid())


def _take_up(unchecked_for: timedelta, quiet_for: timedelta) -> None:
    """Finish the uploads that wait in the spool, and ask for the checks that nobody remembers; those that wait behind
    many others are not forgotten."""
    state = house()
    waiting = sweep.waiting(db.session(), state.settings.spool, state.clock(), quiet_for)
    for upload in waiting:
        try:
            if arrivals.complete_waiting(upload):
                check_photo(upload.sha256, upload.length)
        except StoreUnavailable as error:
            log.warning("upload_waits", upload=upload.id, waiting=len(waiting), error=str(error), pid=os.getpid())
            if not _store_works():
                return
    if current_app.extensions["menqian_queue"].pending_count() >= checks.MOST_FORGOTTEN:
        return
    forgotten = checks.forgotten(db.session(), state.clock(), unchecked_for)
    db.session.rollback()
    for sha256 in forgotten:
        check_photo(sha256)


def _settle_holds() -> None:
    """Tell the store what to hold; a failure that goes on is told once."""
    store = house().store
    before, told = holds.trouble(db.session(), store), holds.settle(store)
    if told is None:
        return
    if told.held or told.freed or told.absent:
        log.info("holds", held=len(told.held), freed=len(told.freed), absent=told.absent, pid=os.getpid())
    if told.trouble and type(told.trouble).__name__ != before:
        log.error("holds_wait", error=str(told.trouble), pid=os.getpid())


def _store_works() -> bool:
    """Is it the store that is away, and not one photo that it does not take?"""
    try:
        house().store.check()
    except StoreUnavailable:
        return False
    return True
