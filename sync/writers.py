"""Who writes: a device, a person on the web, or the server itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from schemas.problems import Problem


def covers(codes: Iterable[str], scope: str) -> bool:
    """True when one of the codes is a prefix of the scope: `3204` covers `320412100`."""
    return any(scope.startswith(code) for code in codes)


@dataclass(frozen=True, slots=True)
class Writer:
    """One writer in the sense of protocol section 5. `id` is the device's id, or the person's on the web."""

    id: str
    user_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    device_id: str | None = None
    unit: str | None = None
    signed: bool = True

    def has_role(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)

    def covers(self, scope: str) -> bool:
        return self is SERVER or covers(self.scopes, scope)

    def must_cover(self, scope: str) -> None:
        """Raise `out_of_scope` unless this writer's scopes cover the scope."""
        if not self.covers(scope):
            raise Problem("out_of_scope", f"scope {scope} is not covered by {', '.join(self.scopes) or 'no scope'}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Writer:
        return cls(**{**stored, "roles": tuple(stored["roles"]), "scopes": tuple(stored["scopes"])})


SERVER = Writer(id="server", user_id="server", roles=("server",), scopes=("",))
