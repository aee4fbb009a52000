"""What the URL of an S3 store asks of it besides keeping bytes: Object Lock and encryption. Serves open_store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPTIONS = frozenset({"lock", "retain_days", "sse", "sse_key_id"})
LOCKS = ("hold", "governance", "compliance")
ENCRYPTIONS = ("AES256", "aws:kms")
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`lock`: empty for none, `hold` for legal holds, `governance` or `compliance` for a retention of `retain_days`
    beside each hold. `sse`: empty, or how the store encrypts what it writes, `aws:kms` with the key `sse_key_id`."""

    lock: str = ""
    retain_days: int = 0
    sse: str = ""
    sse_key_id: str = ""

    @property
    def mode(self) -> str:
        """The retention mode as S3 spells it; empty where a hold retains nothing."""
        return self.lock.upper() if self.lock in LOCKS[1:] else ""

    def of_put(self) -> dict[str, Any]:
        """The arguments of a PUT that the store must obey."""
        found = {"ServerSideEncryption": self.sse, "SSEKMSKeyId": self.sse_key_id}
        return {name: value for name, value in found.items() if value}


def asked_of(options: Mapping[str, str]) -> Asked:
    """Read the options; raises ValueError for what cannot be, or not together."""
    lock, days, sse = options.get("lock", ""), options.get("retain_days", ""), options.get("sse", "")
    if lock not in ("", *LOCKS):
        raise ValueError(f"lock is one of {', '.join(LOCKS)}")
    if sse not in ("", *ENCRYPTIONS):
        raise ValueError(f"sse is one of {', '.join(ENCRYPTIONS)}")
    retains = lock in LOCKS[1:]
    if retains != bool(days) or (days and not (days.isdecimal() and 1 <= int(days) <= MOST_DAYS)):
        raise ValueError(f"lock=governance and lock=compliance need retain_days, 1 to {MOST_DAYS}; others take none")
    if "sse_key_id" in options and sse != "aws:kms":
        raise ValueError("sse_key_id belongs to sse=aws:kms")
    return Asked(lock=lock, retain_days=int(days or 0), sse=sse, sse_key_id=options.get("sse_key_id", ""))
