"""Which addresses are the public internet's, to be reached on a stranger's word."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# What carries an IPv4 address in it, or leads somewhere else: 6to4, Teredo and the translators' (RFCs 3056, 4380,
# 6052, 8215), and the relays' anycast address.
DETOURS = tuple(
    map(ip_network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "192.88.99.0/24"))
)
GLOBAL_IPV6 = IPv6Network("2000::/3")


def is_public(address: IPAddress) -> bool:
    """Whether an address is somebody's on the internet; none that is ours, a neighbour's, or stands for another one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    if any(address in network for network in DETOURS):
        return False
    return address.version == 4 or address in GLOBAL_IPV6


def address_in(text: str) -> IPAddress | None:
    """The address a text is; None where it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None
