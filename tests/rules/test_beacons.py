"""Rounds of a public beacon: real ones, recorded from drand's quicknet, and what is none."""

import pytest

from vteam.rules.beacons import BEACONS, QUICKNET, randomness_of

# Round, signature and randomness as the network published them.
ROUNDS = {
    1000: (
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
        "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    ),
    1001: (
        "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
        "",
    ),
    657_413: (
        "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
        "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    ),
}
SIGNATURE = bytes.fromhex(ROUNDS[1000][0])


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_real_round_is_the_networks_and_gives_its_randomness(round_: int) -> None:
    signature, randomness = ROUNDS[round_]
    assert QUICKNET.signed(round_, bytes.fromhex(signature))
    if randomness:
        assert randomness_of(bytes.fromhex(signature)).hex() == randomness


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        bytes(48),
        b"\xff" * 48,
        b"\xc0" + bytes(47),  # the point at infinity
        bytes((SIGNATURE[0] ^ 0x20,)) + SIGNATURE[1:],  # the same point, upside down
        SIGNATURE[:-1] + bytes((SIGNATURE[-1] ^ 1,)),
        b"\x80" + bytes(46) + b"\x04",  # on the curve, and outside the group signatures are of
    ],
)
def test_what_is_not_the_networks_signature_is_told(signature: bytes) -> None:
    assert not QUICKNET.signed(1000, signature)


def test_a_signature_of_another_round_is_none() -> None:
    assert not QUICKNET.signed(1001, SIGNATURE)


def test_rounds_come_when_the_network_says() -> None:
    assert QUICKNET.time_of(1) == QUICKNET.genesis_s
    assert QUICKNET.time_of(1000) == 1_692_806_364
    for at in (QUICKNET.genesis_s + 2_997, QUICKNET.genesis_s + 2_998, QUICKNET.genesis_s + 3_000):
        round_ = QUICKNET.round_at(at)
        assert QUICKNET.time_of(round_) >= at > QUICKNET.time_of(round_ - 1)
    assert QUICKNET.round_at(0) == 1
    assert BEACONS[QUICKNET.chain] is QUICKNET
