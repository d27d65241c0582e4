"""A campaign file written out as `campaign.toml`: the way back from what is in force to what hands edit.

What is written reads as the same file, to the letter of its canonical text. Lines that only say what holds anyway
are left out; a text that is the same in every language is written once.
"""

from collections.abc import Iterator
from typing import Any

import tomli_w
from pydantic import BaseModel

from vteam.campaigns.file import USUAL, CampaignFile
from vteam.campaigns.values import Words

Tables = dict[str, Any]


def tables_of(file: CampaignFile) -> Tables:
    """The file as the tables a `campaign.toml` is read as."""
    return table_of(file)


def table_of(entry: BaseModel) -> Tables:
    """One table of the file: what it says beyond the defaults, in its model's order."""
    usual = USUAL.get(getattr(entry, "kind", ""), {})
    return {
        name: _plain(value)
        for name, field in type(entry).model_fields.items()
        if (value := getattr(entry, name)) is not None and (value != field.default or name in usual)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Words):
        return _words(value)
    if isinstance(value, BaseModel):
        return table_of(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _words(words: Words) -> str | dict[str, str]:
    said = {code: text for code in Words.model_fields if (text := getattr(words, code))}
    once = set(said.values())
    return once.pop() if len(said) == len(Words.model_fields) and len(once) == 1 else said


def toml_of(file: CampaignFile, *, version: int) -> str:
    """The file as the text of a `campaign.toml`; its first line says which version it is."""
    first = f"# {file.slug} as it is in force: version {version}."
    return "\n".join([first, "", *_lines(tables_of(file))]) + "\n"


def _lines(tables: Tables) -> Iterator[str]:
    """What stands under no heading comes first, then each table under its own."""
    fields = CampaignFile.model_fields
    under = {name: given for name, given in tables.items() if not _is_line(name, given)}
    yield from _pairs({name: given for name, given in tables.items() if name not in under})
    for name in (name for name in fields if name in under):
        several = isinstance(under[name], list)
        for table in under[name] if several else [under[name]]:
            yield from ("", f"[[{name}]]" if several else f"[{name}]")
            yield from _pairs({key: value for key, value in table.items() if _is_line(key, value)})
            for key, listed in table.items():
                for each in () if _is_line(key, listed) else listed:
                    yield from ("", f"[[{name}.{key}]]", *_pairs(each))


def _is_line(name: str, given: Any) -> bool:
    """True for what is written as `name = …` or `name.en = …`, and needs no heading."""
    if isinstance(given, list):
        return all(_is_line(name, each) for each in given)
    return not isinstance(given, dict) or set(given) <= set(Words.model_fields)


def _pairs(table: Tables) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from (f"{key}.{pair}" for pair in _pairs_of(value))
        else:
            yield f"{key} = {_value(value)}"


def _pairs_of(words: dict[str, str]) -> Iterator[str]:
    return (f"{code} = {_value(text)}" for code, text in words.items())


def _value(value: Any) -> str:
    """A value as TOML has it; a list stays on its line, with the texts in it."""
    if isinstance(value, dict):
        return f"{{ {', '.join(_pairs_of(value))} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"v": value}, multiline_strings=True).removeprefix("v = ").rstrip("\n")
