"""The border where a request's addresses become networks: the settings' proxies and the demo's host names.

`rules.networks` decides; this module only knows how this installation is set up. A wrong VTEAM_TRUSTED_PROXIES is
refused with what to write instead, never half used: a proxy left out would make every visitor one network.
"""

from functools import cache

from vteam import settings
from vteam.errors import SettingsError
from vteam.rules.networks import IPNetwork, Networks, client_address, near_network, trusted_network


def address_of(peer: str, forwarded: str) -> str:
    """The client's address, for use while the request lasts.

    `peer`: the socket's address. `forwarded`: X-Forwarded-For, "" when absent. ValueError when `peer` is none.
    """
    return client_address(peer, forwarded, trusted_proxies())


def networks_of(peer: str, forwarded: str, *, host: str, key: bytes) -> Networks:
    """The three keyed hashes of where a request came from; `host`: its Host header, which matters in the demo."""
    return Networks.of(address_of(peer, forwarded), key=key, host=_own_network(host))


def near_of(peer: str, forwarded: str, *, host: str) -> str:
    """The near network in clear text, for budgets counted in memory and forgotten; never to be stored or logged."""
    own = _own_network(host)
    near = near_network(address_of(peer, forwarded))
    return f"{near} {own}" if own else near


@cache
def trusted_proxies() -> tuple[IPNetwork, ...]:
    """The networks in VTEAM_TRUSTED_PROXIES; SettingsError names each value that is none."""
    networks, problems = [], []
    for text in settings.TRUSTED_PROXIES:
        try:
            networks.append(trusted_network(text))
        except ValueError as error:
            problems.append(f"{error}")
    if problems:
        raise SettingsError(
            f"VTEAM_TRUSTED_PROXIES: {'; '.join(problems)}. Write addresses or networks with commas between them, "
            "for example 127.0.0.1,10.0.0.0/8"
        )
    return tuple(networks)


def _own_network(host: str) -> str | None:
    """In the demo each host name is a network of its own; elsewhere none is."""
    if not settings.DEMO:
        return None
    name = host.strip().lower()
    return name if name.endswith("]") else name.rpartition(":")[0] or name
