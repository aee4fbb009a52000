"""Looks at every page of a pull as the server gives it out. Serves the simulated world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.simulator import properties
from tests.simulator.seam import Sent

if TYPE_CHECKING:
    from tests.simulator.world import World


def check_page(world: World, sent: Sent, page: Mapping[str, Any]) -> None:
    """No row out of scope, no forget of a row in scope, nothing at or before the cursor, nothing older than before."""
    assert sent.device_id is not None
    scopes = tuple(sorted(world.owner_of(sent.device_id).scopes))
    given = world.cursors.get((parse_qs(sent.target.partition("?")[2]).get("cursor") or [""])[0])
    for change in page["changes"]:
        rows = world.server.read("SELECT seq, scope, deleted FROM record WHERE id = ?", change["id"])
        properties.effect_and_receipt_both_or_neither(bool(rows), f"{change} was sent and is not stored")
        seq, scope, deleted = rows[0]
        if change["op"] == "put" or (change["op"] == "forget" and not deleted):
            properties.no_out_of_scope_row_is_sent({**change, "scope": scope}, scopes)
        if change["op"] == "forget":
            continue
        if given is not None and given[1] == scopes:
            properties.nothing_before_a_cursor_appears_later(change, seq, given[0])
        key = (page["epoch"], sent.device_id, change["id"])
        properties.versions_and_cursors_never_go_back(
            f"{change['type']} {change['id']}", world.told.get(key, 0), change["version"])
        world.told[key] = change["version"]
    if not page["more"]:
        world.cursors[page["cursor"]] = (world.oracle.clock()[0], scopes)
