"""Questions to the domain name system: each asked once, a bounded number, each answered soon or not at all.

What comes back was written by others: it is given on as text in which everything but plain letters is an escape.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.TXT import TXT

from vteam.errors import SettingsError

QUESTIONS_MAX: Final = 150
"""Asked at most in one check; beyond it nothing is known."""
TRY_SECONDS, ANSWER_SECONDS = 1.5, 4.0
SILENCES_MAX: Final = 2
"""A resolver that let so many questions go unanswered is asked no further ones."""
RESOLVER = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is there: none of it where `values` is empty. Not `known`: nobody could be asked, which proves nothing."""

    values: tuple[str, ...] = ()
    known: bool = True


def resolver_at(address: str) -> dns.resolver.Resolver:
    """The resolver at a numeric address, perhaps with a port; "" is the machine's own. SettingsError for neither."""
    try:
        resolver = dns.resolver.Resolver(configure=not address)
        if address:
            found = RESOLVER.fullmatch(address) or RESOLVER.fullmatch(f"[{address}]")
            given = ipaddress.ip_address((found["six"] or found["four"]) if found else address)
            resolver.nameservers, resolver.port = [str(given)], _port((found and found["port"]) or "53")
    except dns.resolver.NoResolverConfiguration as error:
        raise SettingsError(
            "This machine names no resolver. Set VTEAM_RESOLVER, for example 9.9.9.9."
        ) from error
    except ValueError as error:
        raise SettingsError(
            "VTEAM_RESOLVER: write a numeric address, for example 9.9.9.9, 127.0.0.1:5353 or [::1]:5353."
        ) from error
    resolver.timeout, resolver.lifetime = TRY_SECONDS, ANSWER_SECONDS
    return resolver


def _port(text: str) -> int:
    if not 0 < int(text) < 1 << 16:
        raise ValueError(text)
    return int(text)


class Names:
    """One check's questions."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver
        self._asked: dict[tuple[str, str], Answer] = {}
        self._silences = 0

    def texts(self, name: str) -> Answer:
        """The TXT records at a name, each as one text (RFC 7208, 3.3)."""
        return self._answer(name, "TXT")

    def addresses(self, name: str, *, version: int | None = None) -> Answer:
        """The numeric addresses of a host: of IP `version` 4 or 6, or of both."""
        kinds = {4: ("A",), 6: ("AAAA",)}.get(version or 0, ("A", "AAAA"))
        answers = [self._answer(name, kind) for kind in kinds]
        values = tuple(value for answer in answers for value in answer.values)
        return Answer(values=values, known=bool(values) or all(answer.known for answer in answers))

    def exchanges(self, name: str) -> Answer:
        """The hosts that take a domain's mail, the preferred first; "." alone takes none (RFC 7505)."""
        found = self._answer(name, "MX")
        ordered = sorted((int(value.split()[0]), value.split()[1]) for value in found.values)
        return Answer(values=tuple(host for _, host in ordered), known=found.known)

    def pointers(self, ip: IP) -> Answer:
        """The names an address is said to have."""
        return self._answer(reverse_name(ip), "PTR")

    def _answer(self, name: str, kind: str) -> Answer:
        question = (name.rstrip(".").lower(), kind)
        if question not in self._asked:
            if len(self._asked) >= QUESTIONS_MAX or self._silences >= SILENCES_MAX:
                return Answer(known=False)
            self._asked[question] = self._ask(*question)
        return self._asked[question]

    def _ask(self, name: str, kind: str) -> Answer:
        try:
            absolute = dns.name.from_text(f"{name}.")
        except (dns.exception.DNSException, UnicodeError):
            return Answer()  # nothing can have such a name
        try:
            found = self._resolver.resolve(absolute, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer()
        except dns.exception.Timeout:
            self._silences += 1
            return Answer(known=False)
        except (dns.exception.DNSException, OSError):
            return Answer(known=False)  # its servers are broken, or refuse to answer
        # Servers turn the order from answer to answer; who asks twice should read the same.
        return Answer(values=tuple(sorted(_text(record) for record in found.rrset or ())))


def reverse_name(ip: IP) -> str:
    """The name under which the names of an address stand, with its last dot."""
    return dns.reversename.from_address(str(ip)).to_text()


def _text(record: object) -> str:
    if not isinstance(record, TXT):
        return str(record)  # the library writes odd bytes in names as escapes
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}" for byte in b"".join(record.strings))
