"""Device keys and signatures, with the published vectors of RFC 7515 A.3 (ES256)."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from sync.signing import KeyInvalid, jwk_of, public_key_of, sign, verify, verify_push_signature

# RFC 7515 appendix A.3: key, signing input and signature of an ES256 JWS, which is the same raw r||s over SHA-256.
RFC_KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
RFC_MESSAGE = (b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
               b"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ")
RFC_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

KEY = ec.derive_private_key(20261122, ec.SECP256R1())
JWK = jwk_of(KEY.public_key())
SIGNATURE = sign(KEY, b"body")


def test_the_signature_of_the_standard_verifies():
    assert verify(RFC_KEY, RFC_SIGNATURE, RFC_MESSAGE)
    assert not verify(RFC_KEY, RFC_SIGNATURE, RFC_MESSAGE + b" ")


def test_a_key_goes_through_its_jwk():
    assert public_key_of(JWK).public_numbers() == KEY.public_key().public_numbers()
    assert jwk_of(public_key_of(RFC_KEY)) == RFC_KEY


@pytest.mark.parametrize("secret", range(1, 40))
def test_coordinates_with_leading_zeros_keep_their_length(secret):
    jwk = jwk_of(ec.derive_private_key(secret, ec.SECP256R1()).public_key())
    assert len(jwk["x"]) == len(jwk["y"]) == 43
    assert jwk_of(public_key_of(jwk)) == jwk


@given(st.binary(max_size=200))
def test_what_the_device_signs_the_server_verifies(body):
    assert verify_push_signature(JWK, sign(KEY, body), body)
    assert not verify_push_signature(JWK, sign(KEY, body), body + b"\n")
    assert not verify_push_signature(RFC_KEY, sign(KEY, body), body)


@pytest.mark.parametrize("change", [
    {"kty": "RSA"}, {"crv": "P-384"}, {"crv": None}, {"x": ""}, {"x": 5}, {"x": None}, {"y": JWK["y"][:-1]},
    {"x": JWK["y"]}, {"x": JWK["x"] + "AA"}, {"y": "+" + JWK["y"][1:]}, {"d": "AA"}, {"x": "_" * 43},
])
def test_a_key_that_is_not_public_on_p256_is_refused(change):
    jwk = JWK | change
    with pytest.raises(KeyInvalid):
        public_key_of(jwk)
    assert not verify(jwk, SIGNATURE, b"body")


@pytest.mark.parametrize("jwk", [{}, [], "key", None, 7])
def test_what_is_no_jwk_at_all_is_refused(jwk):
    with pytest.raises(KeyInvalid):
        public_key_of(jwk)


def test_a_key_on_another_curve_has_no_jwk_here():
    with pytest.raises(KeyInvalid):
        jwk_of(ec.derive_private_key(7, ec.SECP384R1()).public_key())


@pytest.mark.parametrize("signature", [
    None, 5, "", "=", "A", SIGNATURE[:-2], SIGNATURE + "AA", " " + SIGNATURE, "é" * 86, "A" * 86, "_" * 86,
    base64.b64encode(b"\xff" * 64).decode(), SIGNATURE[43:] + SIGNATURE[:43],
], ids=range(13))
def test_a_malformed_signature_is_only_wrong(signature):
    assert verify(JWK, signature, b"body") is False


def test_a_signature_may_carry_padding():
    assert verify_push_signature(JWK, SIGNATURE + "==", b"body")


def test_a_push_without_a_signature_is_not_the_device_s():
    assert verify_push_signature(JWK, None, b"body") is False


@given(st.text(max_size=100))
def test_no_header_text_raises(header):
    assert verify_push_signature(JWK, header, b"body") is False
