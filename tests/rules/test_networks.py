"""Networks: what two addresses share, and whose word about an address is believed."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.networks import Networks, client_address, near_network, trusted_network

KEY = b"a key of the campaign"
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:ffff::/48"))
addresses = st.ip_addresses().map(str)


def of(address: str, key: bytes = KEY, host: str | None = None) -> Networks:
    return Networks.of(address, key=key, host=host)


def test_neighbours_share_the_near_network_and_not_the_address() -> None:
    bo, cy = of("203.0.113.7"), of("203.0.113.200")
    assert bo.address != cy.address
    assert (bo.near, bo.wide) == (cy.near, cy.wide)


def test_a_town_shares_the_wide_network_only() -> None:
    bo, cy = of("203.0.113.7"), of("203.0.200.7")
    assert bo.near != cy.near
    assert bo.wide == cy.wide
    assert of("203.1.113.7").wide != bo.wide


def test_ipv6_homes_are_64_bits_and_sites_48() -> None:
    bo, same_home, same_site = of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"), of("2001:db8:1:3::1")
    assert bo.near == same_home.near != same_site.near
    assert bo.wide == same_site.wide != of("2001:db8:2::1").wide


def test_ipv4_inside_ipv6_is_the_ipv4_address() -> None:
    assert of("::ffff:203.0.113.7") == of("203.0.113.7")


def test_a_zone_is_no_part_of_an_address() -> None:
    assert of("fe80::1%eth0") == of("fe80::1")


def test_another_key_tells_nothing_about_the_same_address() -> None:
    assert not set(of("203.0.113.7").as_tuple()) & set(of("203.0.113.7", key=b"another").as_tuple())


def test_each_host_name_of_the_demo_is_a_network() -> None:
    bo, cy = of("127.0.0.1", host="bo.localhost"), of("127.0.0.1", host="cy.localhost")
    nobody = of("127.0.0.1")
    assert len({*bo.as_tuple(), *cy.as_tuple(), *nobody.as_tuple()}) == 9


@given(addresses)
def test_hashes_are_128_bits_and_never_the_address(address: str) -> None:
    found = of(address)
    assert all(len(bytes.fromhex(text)) == 16 for text in found.as_tuple())
    assert len(set(found.as_tuple())) == 3


def test_what_is_no_address_has_no_network() -> None:
    for text in ("", "bo.localhost", "1.2.3", "1.2.3.4.5", "::g"):
        with pytest.raises(ValueError, match="address"):
            of(text)


def test_the_near_network_in_clear() -> None:
    assert near_network("203.0.113.7") == "203.0.113.0/24"
    assert near_network("2001:db8:1:2::9") == "2001:db8:1:2::/64"


@given(addresses, st.text() | st.lists(addresses).map(", ".join))
def test_without_trusted_proxies_nothing_typed_matters(peer: str, forwarded: str) -> None:
    assert client_address(peer, forwarded, ()) == client_address(peer, "", ())


@given(st.text() | st.lists(addresses).map(", ".join))
def test_what_a_client_typed_before_the_proxy_wrote_does_not_matter(typed: str) -> None:
    assert client_address("10.0.0.1", f"{typed}, 203.0.113.7", PROXIES) == "203.0.113.7"


@given(st.text())
def test_any_header_gives_an_address(forwarded: str) -> None:
    ipaddress.ip_address(client_address("10.0.0.1", forwarded, PROXIES))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),  # a stranger pretending to be a proxy
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 2001:db8:ffff::2", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),  # everybody inside: the farthest vouched for
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),  # nobody trusted wrote what stands left of it
        ("10.0.0.1", "203.0.113.7,,", "10.0.0.1"),
    ],
)
def test_the_header_is_read_from_the_right(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_a_trusted_network_has_no_bits_beyond_its_mask() -> None:
    assert str(trusted_network(" 10.0.0.0/8 ")) == "10.0.0.0/8"
    assert str(trusted_network("127.0.0.1")) == "127.0.0.1/32"
    with pytest.raises(ValueError, match="host bits"):
        trusted_network("10.0.0.1/8")
