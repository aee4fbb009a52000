"""The promises of synchronisation, one function each; its docstring is the sentence that it holds.

A check raises AssertionError with what it saw; from outside that is a `Broken` with the promise's name. Every call is
counted, so that a run in which a promise was never put to the test can say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from tests.simulator.model import same

CHECKED: Counter[str] = Counter()
PROMISES: dict[str, str] = {}


class Broken(Exception):
    """A promise was broken."""

    def __init__(self, promise: str, seen: str) -> None:
        super().__init__(f"{promise}: {seen}")
        self.promise, self.seen = promise, seen


def promise(check: Callable[..., None]) -> Callable[..., None]:
    PROMISES[check.__name__] = " ".join((check.__doc__ or "").split())

    @wraps(check)
    def checked(*args: Any, **kwargs: Any) -> None:
        CHECKED[check.__name__] += 1
        try:
            check(*args, **kwargs)
        except AssertionError as error:
            raise Broken(check.__name__, str(error)[:1500]) from error
    return checked


@promise
def every_value_is_kept(values: Mapping[str, str], store: str) -> None:
    """Every value of an acknowledged edit is in row, history, conflict or quarantine, for ever."""
    missing = {value: mutation for value, mutation in values.items() if value not in store}
    assert not missing, f"nowhere on the server: {missing}"


@promise
def nothing_made_is_lost(waiting: Sequence[Any]) -> None:
    """After heal and quiet, every edit that a device still has stands on the server."""
    assert not waiting, f"made on a device, unknown to the server: {waiting}"


@promise
def replays_change_nothing(before: Any, after: Any, first: Any, again: Any) -> None:
    """Replays in any interleaving change nothing and answer the same."""
    assert before == after, f"a replay moved the clock from {before} to {after}"
    assert again == first, f"first {first}, now {again}"


@promise
def effect_and_receipt_both_or_neither(found: bool, seen: str) -> None:
    """Effect and receipt both or neither."""
    assert found, seen


@promise
def nothing_before_a_cursor_appears_later(change: Any, seq: int, since: int) -> None:
    """After a pull gave cursor c nothing <= c appears later."""
    assert seq > since, f"{change} has number {seq}, the cursor was given at {since}"


@promise
def a_rolled_back_writer_neither_stalls_nor_skips(before: Any, after: Any, status: int | None,
                                               said: str = "") -> None:
    """A rolled-back writer neither stalls nor skips."""
    assert before == after, f"numbers went from {before} to {after} without a commit"
    assert status is None or status < 500, f"a writer got {status}: {said}"


@promise
def each_device_equals_its_scope(device: Mapping[Any, Any], server: Mapping[Any, Any]) -> None:
    """After heal and quiet each device equals the server's scope, byte for byte."""
    different = {key: (device.get(key), server.get(key)) for key in {*device, *server}
                 if device.get(key) != server.get(key)}
    assert not different, f"(device, server): {different}"


@promise
def any_page_size_gives_the_same(small: Mapping[Any, Any], whole: Mapping[Any, Any]) -> None:
    """Any page size or interruption, same result."""
    assert small == whole, f"by small pages {small}, at once {whole}"


@promise
def versions_and_cursors_never_go_back(what: str, before: int, now: int) -> None:
    """Versions and cursors never go back within an epoch."""
    assert now >= before, f"{what} went from {before} to {now}"


@promise
def a_group_wholly_or_not_at_all(outcomes: Sequence[str]) -> None:
    """A group wholly or not at all."""
    kinds = {"taken" if outcome in ("applied", "merged", "conflicted") else outcome for outcome in outcomes}
    assert len(kinds) == 1, f"outcomes of one group: {outcomes}"


@promise
def disjoint_edits_commute(mutation: Any, conflicts: Sequence[Any]) -> None:
    """Disjoint edits commute without conflict."""
    assert not conflicts, f"{mutation} overlaps with nobody, yet opened {conflicts}"


@promise
def one_winner_and_one_conflict(overlap: Any, found: Sequence[Any]) -> None:
    """Same-field edits: one winner, every other value in exactly one conflict."""
    assert len(found) == 1, f"{overlap} stands in {len(found)} conflicts: {found}"


@promise
def a_device_never_conflicts_with_itself(conflict: Any, own: Any, somebody_elses: bool) -> None:
    """A device never conflicts with itself."""
    assert somebody_elses or not same(conflict.get("theirs"), own), \
        f"its own value {own} stands as somebody else's in {conflict}"


@promise
def equal_values_never_conflict(conflict: Any) -> None:
    """Equal values never conflict."""
    is_open = (conflict.get("kind"), conflict.get("state")) == ("value", "open")
    assert not is_open or not same(conflict.get("theirs"), conflict.get("mine")), f"{conflict}"


@promise
def a_bound_value_is_one_authors(unit: str, expected: Any, found: Any) -> None:
    """A bound value is one author's."""
    assert same(expected, found), f"{unit} should be {expected}, is {found}"


@promise
def a_poison_mutation_delays_nobody(mutation: Any, expected: Any, outcome: Any) -> None:
    """A poison mutation delays nobody."""
    assert outcome["outcome"] in expected, f"{mutation} should be one of {sorted(expected)}, is {outcome}"


@promise
def no_out_of_scope_row_is_sent(change: Any, scopes: Sequence[str]) -> None:
    """No out-of-scope row is ever sent; leaving forgets, returning brings the whole row."""
    covered = any(change.get("scope", "").startswith(code) for code in scopes)
    assert covered == (change["op"] != "forget"), f"{change} was sent to a reader of {scopes}"


@promise
def forget_destroys_no_undelivered_edit(lost: Any) -> None:
    """`forget` never destroys an undelivered edit."""
    assert not lost, f"gone from the device, undelivered: {lost}"


@promise
def clocks_change_no_winner(unit: str, expected: Any, found: Any, clocks: Any) -> None:
    """Clocks change no winner."""
    assert same(expected, found), f"{unit} should be {expected}, the later arrival, is {found}; made at {clocks}"


@promise
def a_restored_server_or_clone_is_noticed(seen: str, noticed: bool) -> None:
    """A restored server or cloned device is noticed, nothing skipped in silence."""
    assert noticed, seen


@promise
def an_expired_device_keeps_its_outbox(before: Sequence[Any], after: Sequence[Any]) -> None:
    """An expired device keeps its outbox."""
    assert not set(before) - set(after), f"dropped: {sorted(set(before) - set(after))}"


@promise
def deletions_do_not_resurrect(record: str, expected: bool, found: bool) -> None:
    """Deletions do not resurrect."""
    assert expected == found, f"{record}: deleted should be {expected}, is {found}"


@promise
def an_edit_names_only_what_was_changed(record: str, expected: Any, found: Any) -> None:
    """An old client never changes a field it did not name and gets new fields after its upgrade."""
    assert same(expected, found), f"{record}: should be {expected}, is {found}"


@promise
def what_was_held_is_settled(waiting: Sequence[Any]) -> None:
    """What waits for a record is settled when the record arrives."""
    assert not waiting, f"held although the record is there: {waiting}"


@promise
def any_input_is_bounded(what: str, status: int, moved: bool) -> None:
    """Memory, inflation and lock time bounded for any input."""
    assert status in (400, 401, 413, 422) and not moved, f"{what} was answered with {status}, moved the clock: {moved}"
