"""Device signatures: ECDSA P-256 with SHA-256, raw `r||s` in base64url, keys as JWK (protocol sections 1 and 7).

Serves the server, which checks pushes and captures, and the device, which signs them. Verifying never raises: whatever
an unknown client sends as a signature is at worst a wrong one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

COORDINATE_BYTES = 32
SIGNATURE_BYTES = 2 * COORDINATE_BYTES
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
ALGORITHM = ec.ECDSA(hashes.SHA256())


class KeyInvalid(ValueError):
    """A JWK that is not a public key on P-256."""


def public_key_of(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    """The public key of an EC P-256 JWK (RFC 7517, RFC 7518 section 6.2); raises KeyInvalid.

    A JWK with the private `d` is refused: a private key that has left its device signs for nobody.
    """
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise KeyInvalid("the key must be a JWK of type EC on the curve P-256")
    if "d" in jwk:
        raise KeyInvalid("a private key must not leave its device")
    x, y = _from_base64url(jwk.get("x")), _from_base64url(jwk.get("y"))
    if len(x) != COORDINATE_BYTES or len(y) != COORDINATE_BYTES:
        raise KeyInvalid("x and y must be 32 bytes in base64url")
    try:
        return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
    except ValueError:
        raise KeyInvalid("x and y are not a point on P-256") from None


def jwk_of(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The JWK of a P-256 public key; raises KeyInvalid for another curve."""
    if not isinstance(public_key.curve, ec.SECP256R1):
        raise KeyInvalid("the key must be on the curve P-256")
    numbers = public_key.public_numbers()
    x, y = (_to_base64url(part.to_bytes(COORDINATE_BYTES)) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def sign(private_key: ec.EllipticCurvePrivateKey, message: bytes) -> str:
    """The base64url of the raw 64-byte signature over the message; for P-256 keys."""
    r, s = decode_dss_signature(private_key.sign(message, ALGORITHM))
    return _to_base64url(r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES))


def verify(public_jwk: Mapping[str, object], signature: object, message: bytes) -> bool:
    """Did the holder of this key sign these bytes? False, never an error, for anything malformed."""
    raw = _from_base64url(signature)
    if len(raw) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(raw[:COORDINATE_BYTES]), int.from_bytes(raw[COORDINATE_BYTES:])
    try:
        public_key_of(public_jwk).verify(encode_dss_signature(r, s), message, ALGORITHM)
    except (KeyInvalid, InvalidSignature):
        return False
    return True


def verify_push_signature(public_jwk: Mapping[str, object], header: str | None, body: bytes) -> bool:
    """Is `Menqian-Signature` this device's over the request body, as it was before any content encoding?"""
    return header is not None and verify(public_jwk, header.strip(), body)


def _to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_base64url(text: object) -> bytes:
    """The bytes of base64url with or without padding (RFC 4648 section 5); empty for anything else."""
    if not isinstance(text, str) or not BASE64URL.fullmatch(text):
        return b""
    bare = text.rstrip("=")
    return b"" if len(bare) % 4 == 1 else base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
