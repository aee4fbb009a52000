"""What one running installation holds besides its database: settings, clock, rules, keys, media store."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app

from media.stores import Store
from server.config import JOURNAL_KEY, Settings, kept_secret
from sync.journal import Signer
from sync.rules import Rules


@dataclass(slots=True)
class House:
    """See the module. Time and randomness come from here, so that a simulation can own them."""

    settings: Settings
    rules: Rules
    signer: Signer
    store: Store
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]


def house() -> House:
    """The installation that the current app serves."""
    return cast(House, current_app.extensions["menqian"])


def wall_clock() -> datetime:
    return datetime.now(UTC)


def read_signer(settings: Settings) -> Signer:
    """The journal's Ed25519 key, made at first use and kept in the data directory."""
    raw = kept_secret(settings.data / JOURNAL_KEY, lambda: Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()))
    return Signer(settings.origin, Ed25519PrivateKey.from_private_bytes(raw))


random_bytes = secrets.token_bytes
