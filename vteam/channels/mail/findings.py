"""What is told about how a domain's mail is prepared: sentences to translate, and records to copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NO_ANSWER = _("No answer just now: neither from the resolver nor through it. Ask again later.")


class About(StrEnum):
    """What was looked at."""

    SPF = "SPF"
    DKIM = "DKIM"
    DMARC = "DMARC"
    REVERSE = "PTR"
    RETURN = "MX"


class State(StrEnum):
    """How it is. Unknown: nobody answered, or a setting that says what to ask for is not there."""

    FINE = "fine"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A DNS record to set, as a zone's file and the forms of providers call its parts."""

    name: str
    kind: str
    value: str

    def __str__(self) -> str:
        quoted = self.value.replace('"', '\\"')
        value = f'"{quoted}"' if self.kind == "TXT" else self.value
        return f"{self.name} {self.kind} {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence that is put into the reader's language when it is read."""

    text: str | Promise
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.text) % self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `asked`: the question, as "TXT example.org"; `found`: what was answered, as it is.

    `sentence`: what that means, and what to do; `record`: what to set, where that can be known.
    """

    about: About
    state: State
    asked: str
    found: tuple[str, ...] = ()
    sentence: Sentence
    record: Record | None = None


def told(text: str | Promise, **values: Any) -> Sentence:
    """A sentence (gettext_lazy, with named places) and what fills it."""
    return Sentence(text=text, values=values)
