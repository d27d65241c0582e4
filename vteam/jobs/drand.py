"""Asking a drand server for a round, the way drand's HTTP interface is spoken: `GET /CHAIN/public/ROUND`.

Whatever comes is a stranger's: an answer of more than a few kB, of another round, elsewhere, too slow, or of another
shape is refused with the reason. That the signature is the network's is checked by who draws.
"""

from vteam.fetching import Ask, Failed, fetch
from vteam.prizes.rounds import NotIts, Why
from vteam.rules.shapes import read_object

SECONDS = 5.0
"""So long asking takes at most, all together."""
BYTES_MAX = 8 << 10
SIGNATURE_LENGTH_MAX = 200


def ask(base: str, *, chain: str, round_: int) -> str | Why:
    """The signature (hex) a server says a round has, or why there is none. `base`: as VTEAM_BEACON allows."""
    body = fetch(
        Ask(
            url=f"{base}/{chain}/public/{round_}",
            seconds=SECONDS,
            bytes_max=BYTES_MAX,
            headers={"Accept": "application/json"},
            anywhere=True,
        )
    )
    return body if isinstance(body, Failed) else _signature(body, round_)


def _signature(body: bytes, round_: int) -> str | Why:
    told = read_object(body.decode(errors="replace")) or {}
    signature = told.get("signature")
    if type(told.get("round")) is not int or not isinstance(signature, str):
        return Failed.UNREADABLE
    if len(signature) > SIGNATURE_LENGTH_MAX:
        return Failed.UNREADABLE
    return signature.lower() if told["round"] == round_ else NotIts.OTHER_ROUND
