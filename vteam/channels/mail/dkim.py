"""The public half of a domain's DKIM key, as receivers find it (RFC 6376, 3.6): there, readable and long enough."""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vteam.channels.mail.findings import NO_ANSWER, About, Finding, Record, State, told
from vteam.channels.mail.nameserver import Answer, Names

RSA_BITS_MIN, RSA_BITS_USUAL = 1024, 2048
ED25519_BYTES = 32
RECORD_LETTERS_MAX = 8_000
NEW_KEY = "v=DKIM1; k=rsa; p=…"
"""What to set, but for the key itself, which only the signing mail server knows."""
TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


def tags_of(record: str) -> dict[str, str]:
    """The tags of a record such as "v=DKIM1; p=…"; what is none is left out, as receivers do."""
    found = (TAG.fullmatch(part) for part in record[:RECORD_LETTERS_MAX].split(";"))
    return {tag[1].lower(): tag[2] for tag in found if tag}


def first_tag(record: str) -> tuple[str, str]:
    """The name and value of a record's first tag; two empty texts where it has none."""
    return next(iter(tags_of(record.partition(";")[0]).items()), ("", ""))


def finding(domain: str, selector: str, names: Names) -> Finding:
    """How the key of one selector stands."""
    name = f"{selector}._domainkey.{domain}"
    answer = names.texts(name)
    judged = _judged(answer, name)
    sentence = told(judged.text, name=name, kind=judged.kind, bits=judged.bits)
    return Finding(
        about=About.DKIM,
        state=judged.state,
        asked=f"TXT {name}",
        found=answer.values,
        sentence=sentence,
        record=Record(name=f"{name}.", kind="TXT", value=judged.to_set) if judged.to_set else None,
    )


NO_KEY = _("There is no key at %(name)s. The mail server that signs shows the one to set, behind p=.")
SEVERAL = _("There are several records at %(name)s, and nobody knows which to take. Keep one.")
UNREADABLE = _("What stands at %(name)s is no key anybody can use.")
TAKEN_BACK = _("The key at %(name)s has been taken back: nothing stands behind p=.")
TESTING = _("The key says that it is only a test (t=y): many take such mail as not signed. Take that out.")
TOO_SHORT = _("The key has %(bits)s bits: receivers take none with fewer than 1024. Make one with 2048.")
SHORT = _("The key counts. Its %(bits)s bits are few: make the next one with 2048.")
GOOD = _("The key counts (%(kind)s, %(bits)s bits).")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    state: State
    text: str | Promise
    kind: str = ""
    bits: int | None = None
    to_set: str = ""


def _judged(answer: Answer, name: str) -> _Judged:
    if not answer.known:
        return _Judged(state=State.UNKNOWN, text=NO_ANSWER)
    if not answer.values:
        return _Judged(state=State.MISSING, text=NO_KEY, to_set=NEW_KEY)
    if len(answer.values) > 1:
        return _Judged(state=State.WRONG, text=SEVERAL)
    return _of_one(answer.values[0])


def _of_one(record: str) -> _Judged:
    tags = tags_of(record)
    kind, key = tags.get("k", "rsa").lower(), tags.get("p")
    if key == "":
        return _Judged(state=State.WRONG, text=TAKEN_BACK, to_set=NEW_KEY)
    bits = _bits(kind, key) if key and tags.get("v", "DKIM1") == "DKIM1" else None
    if bits is None:
        return _Judged(state=State.WRONG, text=UNREADABLE, to_set=NEW_KEY)
    if "y" in re.split(r"\s*:\s*", tags.get("t", "")):
        return _Judged(state=State.WRONG, text=TESTING, to_set=_without_test(record))
    if kind == "rsa" and bits < RSA_BITS_MIN:
        return _Judged(state=State.WRONG, text=TOO_SHORT, bits=bits, to_set=NEW_KEY)
    text = SHORT if kind == "rsa" and bits < RSA_BITS_USUAL else GOOD
    return _Judged(state=State.FINE, text=text, kind=kind, bits=bits)


def _bits(kind: str, written: str) -> int | None:
    """How long the key is; None where it is none of its kind."""
    try:
        content = base64.b64decode(re.sub(r"\s", "", written), validate=True)
        if kind == "ed25519":  # RFC 8463, 4: the 32 bytes as they are
            return 8 * ED25519_BYTES if len(content) == ED25519_BYTES else None
        key = load_der_public_key(content)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if kind == "rsa" and isinstance(key, RSAPublicKey) else None


def _without_test(record: str) -> str:
    parts = [part.strip() for part in record.split(";") if part.strip()]
    return "; ".join(part for part in parts if not re.match(r"t\s*=", part))
