"""Signatures in plain Python: Ed25519 (RFC 8032) of the journal, ECDSA P-256 with SHA-256 (FIPS 186-5) of the devices.

Part of the program that a bundle carries, for machines that have nothing but Python 3.8. It only verifies, of public
things, so that nothing here needs to take the same time for every input.
"""

from __future__ import annotations

import hashlib

ED_P = 2**255 - 19
ED_ORDER = 2**252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, -1, ED_P) % ED_P
ED_BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
           46316835694926478169428394003475163141307993866256225615783033603165251855960)
NIST_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
NIST_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NIST_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
NIST_BASE = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
             0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def ed25519_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 section 5.1.7, without the cofactor: is [s]B = R + [k]A?"""
    point, s = _ed_decode(public_key), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or point is None or s >= ED_ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ED_ORDER
    x, y = _ed_add(_ed_times(s, ED_BASE), _ed_times(k, (-point[0] % ED_P, point[1])))
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def _ed_add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, two
    both = ED_D * x1 * x2 * y1 * y2 % ED_P
    inverse = pow((1 + both) * (1 - both), -1, ED_P)
    return ((x1 * y2 + x2 * y1) * (1 - both) * inverse % ED_P, (y1 * y2 + x1 * x2) * (1 + both) * inverse % ED_P)


def _ed_times(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    total = (0, 1)
    for bit in bin(factor)[2:]:
        total = _ed_add(total, total)
        if bit == "1":
            total = _ed_add(total, point)
    return total


def _ed_decode(encoded: bytes) -> tuple[int, int] | None:
    """The point of RFC 8032 section 5.1.3, or None."""
    number = int.from_bytes(encoded, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    if len(encoded) != 32 or y >= ED_P:
        return None
    square = (y * y - 1) * pow(ED_D * y * y + 1, -1, ED_P) % ED_P
    x = pow(square, (ED_P + 3) // 8, ED_P)
    if x * x % ED_P != square:
        x = x * pow(2, (ED_P - 1) // 4, ED_P) % ED_P
    if x * x % ED_P != square or (x == 0 and odd):
        return None
    return (x if x & 1 == odd else ED_P - x, y)


def p256_holds(x: int, y: int, message: bytes, signature: bytes) -> bool:
    """FIPS 186-5 section 6.4.2 for the key (x, y) and a raw signature of 64 bytes, r and s."""
    if len(signature) != 64 or not (0 <= x < NIST_P and 0 <= y < NIST_P) \
            or (y * y - x * x * x + 3 * x - NIST_B) % NIST_P:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < NIST_ORDER and 0 < s < NIST_ORDER):
        return False
    inverse = pow(s, -1, NIST_ORDER)
    u = int.from_bytes(hashlib.sha256(message).digest(), "big") * inverse % NIST_ORDER
    v = r * inverse % NIST_ORDER
    point = _nist_add(_nist_times(u, NIST_BASE), _nist_times(v, (x, y)))
    return point is not None and point[0] % NIST_ORDER == r


def _nist_add(one: tuple[int, int] | None, two: tuple[int, int] | None) -> tuple[int, int] | None:
    """The sum of two points; None is the one at infinity."""
    if one is None or two is None:
        return one or two
    (x1, y1), (x2, y2) = one, two
    if x1 == x2 and (y1 + y2) % NIST_P == 0:
        return None
    over, under = (3 * x1 * x1 - 3, 2 * y1) if one == two else (y2 - y1, x2 - x1)
    slope = over * pow(under, -1, NIST_P) % NIST_P
    x = (slope * slope - x1 - x2) % NIST_P
    return (x, (slope * (x1 - x) - y1) % NIST_P)


def _nist_times(factor: int, point: tuple[int, int]) -> tuple[int, int] | None:
    total = None
    for bit in bin(factor)[2:]:
        total = _nist_add(total, total)
        if bit == "1":
            total = _nist_add(total, point)
    return total
