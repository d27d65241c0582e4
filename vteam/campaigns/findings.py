"""What is wrong with a table, in sentences for somebody who never saw a parser.

Takes pydantic's errors over `CampaignFile` and the tables they are about, and says for each what is
wrong and what to write instead, with the key or word that was probably meant. Knows names and shapes;
what must hold between the tables is the work of `vteam.campaigns.coherence`.
"""

import datetime as dt
import difflib
import itertools
import re
import typing
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vteam.campaigns.file import CampaignFile
from vteam.campaigns.locate import Path
from vteam.campaigns.values import Words

FINDINGS_MAX = 200
"""Things to mend told in one go; whoever reads more than these has stopped reading."""
KEY_LENGTH = 40
WORDS_COMPARED_MAX = 100
LETTERS_COMPARED_MAX = 60
WORDS_LISTED_MAX = 12

Sentences = tuple[str, str]
"""What is wrong, what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong at `path` in the tables; `instead` says what to do. `missing`: a key that is not there."""

    path: Path
    wrong: str
    instead: str
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One refusal by pydantic: where, what stands there, the bounds it names and its own words."""

    path: Path
    given: Any
    bounds: dict[str, Any]
    message: str

    @property
    def name(self) -> str:
        """The key, as sentences show it."""
        return f"`{name_of(self.path)}`"

    @property
    def example(self) -> str:
        """An order to write something like what is wanted here."""
        return f"write {_example(self.path)}"


def findings(error: ValidationError, tables: dict[str, Any]) -> list[Finding]:
    """One finding per thing to mend, in pydantic's order (the models'); at most FINDINGS_MAX."""
    details = error.errors(include_url=False)
    meant = (detail for detail in details if not _is_an_echo(detail, tables))
    return [_finding(detail, tables) for detail in itertools.islice(meant, FINDINGS_MAX)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` (of many, the first WORDS_COMPARED_MAX) that was probably meant, or None."""
    short = [each for each in dict.fromkeys(known) if len(each) <= LETTERS_COMPARED_MAX]
    compared = sorted(short[:WORDS_COMPARED_MAX])
    found = difflib.get_close_matches(word[:LETTERS_COMPARED_MAX].casefold(), compared, n=1, cutoff=0.6)
    return found[0] if found else None


def one_of(known: Iterable[str]) -> str:
    """`"a", "b" or "c"`: each once, and of very many the first."""
    words = list(dict.fromkeys(known))
    quoted = [f'"{word}"' for word in words[:WORDS_LISTED_MAX]]
    if len(words) > WORDS_LISTED_MAX:
        return ", ".join(quoted) + " or another"
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]


def value_at(tables: object, path: Path) -> Any:
    """What stands at `path`; None where nothing does."""
    for step in path:
        if isinstance(tables, dict) and isinstance(step, str):
            tables = tables.get(step)
        elif isinstance(tables, list) and isinstance(step, int) and step < len(tables):
            tables = tables[step]
        else:
            return None
    return tables


# Sentences ------------------------------------------------------------
def _is_an_echo(detail: ErrorDetails, tables: dict[str, Any]) -> bool:
    """A list called too short only because its entries were refused one by one."""
    given = value_at(tables, detail["loc"])
    return (
        detail["type"] == "too_short"
        and isinstance(given, list)
        and len(given) >= detail.get("ctx", {}).get("min_length", 0)
    )


def _finding(detail: ErrorDetails, tables: dict[str, Any]) -> Finding:
    path = tuple(detail["loc"])
    refused = Refused(
        path=path, given=value_at(tables, path), bounds=detail.get("ctx", {}), message=detail["msg"]
    )
    wrong, instead = SENTENCES.get(detail["type"], _something_else)(refused)
    missing = name_of(path) if detail["type"] == "missing" else None
    return Finding(path=path, wrong=wrong, instead=instead, missing=missing)


def _something_else(refused: Refused) -> Sentences:
    return f"{refused.name} cannot be understood ({refused.message})", refused.example


def _our_own(refused: Refused) -> Sentences:
    return f"{refused.name}: {refused.bounds['wrong']}", str(refused.bounds["instead"])


def _missing(refused: Refused) -> Sentences:
    path = refused.path
    if isinstance(path[-1], int):
        return f"{refused.name} is not complete", refused.example
    inside = f" in {_heading(path[:-1])}" if len(path) > 1 else ""
    return f"{refused.name} is missing{inside}", refused.example


def _unknown(refused: Refused) -> Sentences:
    """A key no table has: misspelt, or standing under the wrong heading."""
    path = refused.path
    key, known = str(path[-1]), _keys_at(path[:-1])
    wrong = f"`{key}` is not known {'here' if len(path) == 1 else 'in ' + _heading(path[:-1])}"
    meant = nearest(key, known)
    if meant:
        return wrong, f"did you mean `{meant}`?"
    if key in CampaignFile.model_fields and len(path) > 1:
        return wrong, f"move `{key}` to the top of the file, before the first [heading]"
    return wrong, f"take it out; known here: {', '.join(sorted(known))}"


def _not_text(refused: Refused) -> Sentences:
    instead = f"write {name_of(refused.path)} = {_quoted(refused.given)}"
    return f"{refused.name} is a text and needs quotes", instead


def _not_whole(refused: Refused) -> Sentences:
    given = refused.given
    digits = re.sub(r"[\s_]", "", str(given)) if isinstance(given, str | float) else ""
    found = re.fullmatch(r"([0-9]{1,9})(\.0*)?", digits)
    instead = f"write {name_of(refused.path)} = {int(found[1])}" if found else refused.example
    return f"{refused.name} is a whole number, without quotes", instead


def _not_yes_or_no(refused: Refused) -> Sentences:
    return f"{refused.name} is yes or no", f"write {name_of(refused.path)} = true, or false"


def _too_few_letters(refused: Refused) -> Sentences:
    least = refused.bounds["min_length"]
    wrong = f"has fewer than {least} letters" if str(refused.given).strip() else "is empty"
    return f"{refused.name} {wrong}", refused.example


def _too_many_letters(refused: Refused) -> Sentences:
    wrong = f"{refused.name} is {len(str(refused.given))} characters long"
    return wrong, f"write at most {refused.bounds['max_length']} characters"


def _not_a_key(refused: Refused) -> Sentences:
    wrong = f"{refused.name} takes small letters without accents, digits, and single hyphens between them"
    return wrong, f'write {name_of(refused.path)} = "{plain_key(str(refused.given))}"'


def _too_small(refused: Refused) -> Sentences:
    return f"{refused.name} is too small", f"write {refused.bounds['ge']:_} or more"


def _too_large(refused: Refused) -> Sentences:
    return f"{refused.name} is too large", f"write {refused.bounds['le']:_} or less"


def _not_a_choice(refused: Refused) -> Sentences:
    choices = [str(choice) for choice in _choices_in(_annotation_at(refused.path))]
    wrong = f"{refused.name} cannot be {_quoted(refused.given)}"
    meant = nearest(str(refused.given), choices)
    if meant:
        return wrong, f'did you mean "{meant}"? (it can be {one_of(choices)})'
    return wrong, f"write {one_of(choices)}"


def _none_of_them(refused: Refused) -> Sentences:
    return f"there is nothing in {refused.name}", refused.example


def _too_many_of_them(refused: Refused) -> Sentences:
    return f"there are too many in {refused.name}", f"write {refused.bounds['max_length']} at most"


def _other_brackets(refused: Refused) -> Sentences:
    """One table where several are meant, or the other way round; a list without its brackets."""
    path, given = refused.path, refused.given
    several = _model_in(_annotation_at(path)) is not None and not isinstance(path[-1], int)
    if isinstance(given, dict) and several:
        return f"there can be several {refused.name}", f"write {_heading((*path, 0))} with two brackets"
    if isinstance(given, list) and several:
        return f"there is one {refused.name} only", f"write {_heading(path)} with one bracket"
    return f"{refused.name} is not of this kind", refused.example


SENTENCES: dict[str, Callable[[Refused], Sentences]] = {
    "refusal": _our_own,
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _not_text,
    "int_type": _not_whole,
    "bool_type": _not_yes_or_no,
    "string_too_short": _too_few_letters,
    "string_too_long": _too_many_letters,
    "string_pattern_mismatch": _not_a_key,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_large,
    "literal_error": _not_a_choice,
    "too_short": _none_of_them,
    "too_long": _too_many_of_them,
    "tuple_type": _other_brackets,
    "model_type": _other_brackets,
}
"""Every way pydantic refuses a value of these models."""


# Names ------------------------------------------------------------
def name_of(path: Path) -> str:
    """The key a path ends with; an entry of a list is called by its list."""
    return next((step for step in reversed(path) if isinstance(step, str)), "campaign")


def plain_key(text: str, *, otherwise: str = "song") -> str:
    """`text` as a key: "Phare éteint" becomes "phare-eteint"; `otherwise` where no letter of it can be one."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:KEY_LENGTH].strip("-") or otherwise


def _quoted(given: Any) -> str:
    text = given.isoformat() if isinstance(given, dt.date | dt.time) else str(given)
    return '"' + text.replace('"', "'").replace("\n", " ")[:60] + '"'


def _heading(path: Path) -> str:
    """The heading a table stands under."""
    whole = ".".join(step for step in path if isinstance(step, str))
    return f"[[{whole}]]" if isinstance(path[-1], int) else f"[{whole}]"


def _example(path: Path) -> str:
    """How a value for `path` looks: the field's own example, or the heading of the tables wanted there."""
    field = _field_at(path)
    if field is None:
        return "it as docs/campaign-file.md shows"
    if field.examples:
        return f"{name_of(path)} = {field.examples[0]}"
    model = _model_in(field.annotation)
    if model is Words:
        return f'{name_of(path)}.en = "…" and {name_of(path)}.fr = "…"'
    several = typing.get_origin(field.annotation) is tuple
    first = next(iter(model.model_fields)) if model else ""
    heading = _heading((*path, 0) if several else path)
    return f"{heading}, and under it {first} = {_first_example(model)} and so on"


def _first_example(model: type[BaseModel] | None) -> str:
    field = next(iter(model.model_fields.values())) if model else None
    return str(field.examples[0]) if field and field.examples else "…"


# Models ------------------------------------------------------------
def _field_at(path: Path) -> FieldInfo | None:
    """The field a path leads to; list indexes are stepped over."""
    model: type[BaseModel] | None = CampaignFile
    field: FieldInfo | None = None
    for step in path:
        if isinstance(step, str):
            field = model.model_fields.get(step) if model else None
            model = _model_in(field.annotation) if field else None
    return field


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The table class inside an annotation such as `Annotated[tuple[TitleEntry, ...], …]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        found = _model_in(part)
        if found:
            return found
    return None


def _keys_at(path: Path) -> list[str]:
    field = _field_at(path)
    model = _model_in(field.annotation) if field else CampaignFile
    return list(model.model_fields) if model else []


def _annotation_at(path: Path) -> Any:
    field = _field_at(path)
    return field.annotation if field else None


def _choices_in(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [choice for part in typing.get_args(annotation) for choice in _choices_in(part)]


def words_in(tables: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every text given per language, with its path."""
    yield from _words_under(CampaignFile, tables, ())


def _words_under(model: type[BaseModel], given: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(given, list):
        for at, entry in enumerate(given):
            yield from _words_under(model, entry, (*path, at))
    elif isinstance(given, dict) and model is Words:
        yield path, given
    elif isinstance(given, dict):
        for key, field in model.model_fields.items():
            inner = _model_in(field.annotation)
            if inner is not None:
                yield from _words_under(inner, given.get(key), (*path, key))
