"""A domain that is set up well for mail, what is wrong with it when some records change, and what is found then."""

import base64
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.services.zone import Zone, serving
from vteam.channels.mail.deliverability import check
from vteam.channels.mail.findings import About, Finding, State
from vteam.channels.mail.nameserver import resolver_at

FOUR, SIX = "203.0.113.7", "2001:db8::7"
SIX_REVERSED = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"


def written(key: rsa.RSAPublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def key_of(bits: int) -> str:
    return written(rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key())


KEY, SHORT_KEY = key_of(2048), key_of(1024)
TINY_KEY = written(rsa.RSAPublicNumbers(65537, (1 << 767) + 1).public_key())  # no key, but as long as one
GOOD: Zone = {
    ("example.org", "TXT"): ["google-site-verification=x", f"v=spf1 ip4:{FOUR} ip6:{SIX} -all"],
    ("vteam._domainkey.example.org", "TXT"): [f"v=DKIM1; k=rsa; p={KEY}"],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=quarantine; rua=mailto:post@example.org"],
    ("7.113.0.203.in-addr.arpa", "PTR"): ["mail.example.org."],
    (SIX_REVERSED, "PTR"): ["mail.example.org."],
    ("mail.example.org", "A"): [FOUR],
    ("mail.example.org", "AAAA"): [SIX],
    ("example.org", "MX"): ["20 spare.example.org.", "10 mail.example.org."],
    ("spare.example.org", "A"): ["203.0.113.8"],
}  # fmt: skip


def found_in(
    zone: Zone,
    *,
    selectors: Sequence[str] = ("vteam",),
    ips: Sequence[str] = (FOUR, SIX),
    broken: Sequence[str] = (),
    domain: str = "example.org",
) -> list[Finding]:
    with serving(zone, broken=broken) as server:
        return check(domain, selectors=selectors, sending_ips=ips, resolver=resolver_at(server.address))


def changed(**records: Sequence[str] | None) -> Zone:
    """The good zone with some names' records replaced: `spf`, `dkim`, `dmarc`, `ptr`, `mx`; None takes them away."""
    names = {
        "spf": ("example.org", "TXT"),
        "dkim": ("vteam._domainkey.example.org", "TXT"),
        "dmarc": ("_dmarc.example.org", "TXT"),
        "ptr": ("7.113.0.203.in-addr.arpa", "PTR"),
        "mx": ("example.org", "MX"),
    }
    return with_records({names[name]: values for name, values in records.items()})


def with_records(records: Mapping[tuple[str, str], Sequence[str] | None]) -> Zone:
    merged: dict[tuple[str, str], Sequence[str] | None] = {**GOOD, **records}
    return {name: values for name, values in merged.items() if values is not None}


def of(found: Sequence[Finding], about: About) -> list[Finding]:
    return [finding for finding in found if finding.about is about]


def not_fine(found: Sequence[Finding], about: About) -> Finding:
    """The one finding about something that is not fine."""
    (finding,) = [each for each in of(found, about) if each.state is not State.FINE]
    return finding


def told(finding: Finding) -> tuple[State, str, str]:
    return finding.state, str(finding.sentence), str(finding.record or "")
