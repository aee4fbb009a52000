"""Who writes: a device, a person on the web, or the server itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from schemas.problems import Problem


def covers(codes: Iterable[str], scope: str) -> bool:
    """True when one of the codes is a prefix of the scope: `3204` covers `320412100`."""
    return scope.startswith(tuple(codes))


@dataclass(frozen=True, slots=True)
class Writer:
    """One writer in the sense of protocol section 5. `id` is the device's id, or the person's on the web.

    `late_scopes` were withdrawn, but the writer's mutations up to number `late_n` (all, where None) may have been made
    before he knew. Late work is not taken in what was withdrawn before the wire time `late_since` (`sync/late.py`).
    """

    id: str
    user_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    device_id: str | None = None
    unit: str | None = None
    signed: bool = True
    late_scopes: tuple[str, ...] = ()
    late_n: int | None = None
    late_since: str | None = None

    def has_role(self, *roles: str) -> bool:
        return any(role in roles for role in self.roles)

    def covers(self, scope: str) -> bool:
        return self is SERVER or covers(self.scopes, scope) or covers(self.late_scopes, scope)

    def at(self, n: int) -> Writer:
        """This writer when he made the mutation of that number."""
        known = self.late_n is not None and n > self.late_n
        return replace(self, late_scopes=()) if known and self.late_scopes else self

    def must_cover(self, scope: str) -> None:
        """Raise `out_of_scope` unless this writer's scopes cover the scope."""
        if not self.covers(scope):
            raise Problem("out_of_scope",
                          f"不在责任范围内 scope {scope} is not covered by {', '.join(self.scopes) or 'no scope'}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Writer:
        return cls(**{**stored, "roles": tuple(stored["roles"]), "scopes": tuple(stored["scopes"]),
                      "late_scopes": tuple(stored.get("late_scopes", ()))})


SERVER = Writer(id="server", user_id="server", roles=("server",), scopes=("",))
