"""Public randomness: rounds of a drand beacon, each a signature that nobody can know, or choose, before its time.

A round is a BLS signature (curve BLS12-381, RFC 9380 hashing) over its number, made by most of the beacon's members
together; its SHA-256 is the randomness. What is known here of a network are its public constants, so that a round
needs no network to be checked. Source: drand's protocol specification, scheme `bls-unchained-g1-rfc9380`.
"""

import hashlib
from dataclasses import dataclass

SIGNATURE_BYTES = 48
_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """A network of drand. `public_key`: 96 bytes; `genesis_s`: when its first round came (seconds UTC)."""

    name: str
    chain: str
    public_key: bytes
    genesis_s: int
    period_s: int

    def time_of(self, round_: int) -> int:
        """When a round comes (seconds UTC); rounds count from 1."""
        return self.genesis_s + (round_ - 1) * self.period_s

    def round_at(self, at_s: int) -> int:
        """The first round that comes at a moment (seconds UTC) or after it."""
        return max(0, -(-(at_s - self.genesis_s) // self.period_s)) + 1

    def signed(self, round_: int, signature: bytes) -> bool:
        """Whether a signature (48 bytes) is the network's for a round: e(signature, G2) = e(hash, public key)."""
        # Loading the curve takes a third of a second, and only whoever draws or checks a draw needs it.
        from eth_typing import BLSPubkey, BLSSignature
        from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2, subgroup_check
        from py_ecc.bls.hash_to_curve import hash_to_G1
        from py_ecc.optimized_bls12_381 import FQ12, G2, final_exponentiate, is_inf, neg, pairing

        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            # This library reads the short points as keys and the long ones as signatures; here it is the other way.
            point = pubkey_to_G1(BLSPubkey(signature))
            key = signature_to_G2(BLSSignature(self.public_key))
        except ValueError:
            return False
        if is_inf(point) or not subgroup_check(point):
            return False
        message = hashlib.sha256(round_.to_bytes(8, "big")).digest()
        hashed = hash_to_G1(message, _DOMAIN, hashlib.sha256)  # type: ignore[arg-type]
        both = pairing(G2, point, final_exponentiate=False) * pairing(
            neg(key), hashed, final_exponentiate=False
        )
        return bool(final_exponentiate(both) == FQ12.one())


def randomness_of(signature: bytes) -> bytes:
    """The randomness (32 bytes) of a round."""
    return hashlib.sha256(signature).digest()


QUICKNET = Beacon(
    name="drand quicknet",
    chain="52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    public_key=bytes.fromhex(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
    genesis_s=1_692_803_367,
    period_s=3,
)
BEACONS = {QUICKNET.chain: QUICKNET}
"""The networks known here, by the hash of their chain's constants."""
