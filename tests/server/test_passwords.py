"""How passwords are kept: offices and forked servers of tests hash quickly, an installation as it should."""

from __future__ import annotations

from server.auth import hash_password


def test_a_password_costs_what_rfc_9106_asks_where_memory_is_short() -> None:
    """Argon2id, its second recommended option (section 4): 64 MiB, three passes, four lanes, 128 bits of salt."""
    _, kind, version, cost, salt, _ = hash_password("Correct-Horse-9-Battery").split("$")
    assert (kind, version, cost, len(salt)) == ("argon2id", "v=19", "m=65536,t=3,p=4", 22)
    assert hash_password("Correct-Horse-9-Battery").split("$")[4] != salt
