"""The plain curves against cryptography's, and Ed25519 against a test vector of RFC 8032."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from media.bundle.curves import ED_ORDER, NIST_ORDER, ed25519_holds, p256_holds
from sync.signing import sign

# Key, message and signature of RFC 8032 section 7.1, test 2.
RFC_8032 = ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")


def test_ed25519_takes_the_vector_of_the_rfc() -> None:
    key, message, signature = map(bytes.fromhex, RFC_8032)
    assert ed25519_holds(key, message, signature)


@pytest.mark.parametrize("seed", range(4))
def test_both_take_what_cryptography_signed_and_nothing_else(seed: int) -> None:
    message = bytes([seed]) * seed
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert ed25519_holds(public, message, signature)
    private = ec.derive_private_key(seed + 7, ec.SECP256R1())
    numbers, raw = private.public_key().public_numbers(), sign(private, message)
    told = base64.urlsafe_b64decode(raw + "==")
    assert p256_holds(numbers.x, numbers.y, message, told)
    for place in (0, 31, 32, 63):
        altered = bytearray(signature)
        altered[place] ^= 1
        assert not ed25519_holds(public, message, bytes(altered))
        altered = bytearray(told)
        altered[place] ^= 1
        assert not p256_holds(numbers.x, numbers.y, message, bytes(altered))
    assert not ed25519_holds(public, message + b"x", signature)
    assert not p256_holds(numbers.x, numbers.y, message + b"x", told)


def test_a_signature_with_a_number_beyond_the_order_is_none() -> None:
    key, message, signature = map(bytes.fromhex, RFC_8032)
    beyond = int.from_bytes(signature[32:], "little") + ED_ORDER
    assert not ed25519_holds(key, message, signature[:32] + beyond.to_bytes(32, "little"))
    one = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    for r, s in ((0, 1), (1, 0), (NIST_ORDER, 1), (1, NIST_ORDER)):
        assert not p256_holds(one.x, one.y, b"", r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize("signature", [b"", b"x" * 63, b"x" * 65])
def test_what_has_another_length_is_no_signature(signature: bytes) -> None:
    one = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    assert not p256_holds(one.x, one.y, b"", signature)
    assert not ed25519_holds(bytes.fromhex(RFC_8032[0]), b"", signature)


def test_a_key_off_the_curve_verifies_nothing() -> None:
    assert not p256_holds(1, 1, b"", b"\1" * 64)
    assert not ed25519_holds(b"\2" + b"\0" * 31, b"", b"\1" * 64)
    assert not ed25519_holds(b"\xff" * 32, b"", b"\1" * 64)
