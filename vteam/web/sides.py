"""What is written in several languages, side by side on a page."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.forms import BoundField

LANGUAGE_NAMES = dict(settings.LANGUAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is asked in one language: its code, its name in itself, the fields by what they are."""

    code: str
    name: str
    fields: dict[str, BoundField]


def sides(form: Any, *names: str) -> list[Side]:
    """A form's texts, language by language: of `name` the fields `name_en`, `name_fr`."""
    return [
        Side(code=code, name=LANGUAGE_NAMES[code], fields={name: form[f"{name}_{code}"] for name in names})
        for code in form.languages
    ]
