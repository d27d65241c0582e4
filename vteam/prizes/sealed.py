"""What is sealed for a fan who has won: texts by name, under their own key."""

import json
from collections.abc import Mapping

from vteam.errors import SealError
from vteam.people import vault
from vteam.people.models import Fan


def seal_for(fan: Fan, told: Mapping[str, str]) -> bytes:
    """Seals texts. Reads `fan.person`."""
    return vault.seal(bytes(fan.person.sealed_key), json.dumps(dict(told)))


def unsealed(fan: Fan | None, sealed: bytes | memoryview | None) -> dict[str, str]:
    """What was sealed; nothing where it is erased, the fan has left, or no key of ours opens it."""
    if fan is None or sealed is None:
        return {}
    try:
        told: dict[str, str] = json.loads(vault.unseal(bytes(fan.person.sealed_key), bytes(sealed)))
    except SealError:
        return {}
    return told
