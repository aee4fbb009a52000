"""Who this device is to the server: id, token, the person, and the key that signs. Serves every part that speaks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.device.client import Client
from sync.device.store import Store
from sync.signing import jwk_of, sign

PLATFORM = "python"
APP_VERSION = "1.0.0"


class Identity:
    """What an enrolment gave, as the store keeps it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def device_id(self) -> str:
        return str(self._store.get("device_id"))

    @property
    def key(self) -> ec.EllipticCurvePrivateKey | None:
        """The private key, None for a device that does not sign."""
        stored = self._store.get("private_key")
        if stored is None:
            return None
        key = serialization.load_der_private_key(base64.b64decode(stored), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the stored key is not an EC key")
        return key

    def sign(self, content: bytes) -> str | None:
        """The signature over these bytes in base64url, None from a device without a key."""
        key = self.key
        return sign(key, content) if key else None

    def take(self, enrolment: Mapping[str, Any], key: ec.EllipticCurvePrivateKey | None) -> None:
        """Keep an enrolment; the caller holds the transaction."""
        for name in ("device_id", "token", "user", "scopes"):
            self._store.put(name, enrolment[name])
        self._store.put("private_key", _stored(key) if key else None)
        self._store.put("state", "enrolled")


def enrol(client: Client, code: str, name: str, key: ec.EllipticCurvePrivateKey | None) -> dict[str, Any]:
    """Turn an invitation into an enrolment (`POST /devices`). Never sent twice: a code works once."""
    body = {"code": code, "name": name, "platform": PLATFORM, "app_version": APP_VERSION,
            **({"public_key": jwk_of(key.public_key())} if key else {})}
    enrolment: dict[str, Any] = client.post("/devices", body, tries=1)
    return enrolment


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def _stored(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return base64.b64encode(der).decode()
