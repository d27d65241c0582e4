"""Everything that is wrong with a campaign, said at once: where, what, and what to write instead.

Reads the campaign file and looks into every file it names, but changes nothing. The tables are checked
one by one, against each other, and against the folder; a problem in one never hides those in another. A
file the campaign names has to lie in the campaign's own folder and to be what it claims to be.
"""

import difflib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vteam.campaigns.audio import Audio, inspect_mp3
from vteam.campaigns.coherence import contradictions
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.findings import FINDINGS_MAX, Finding, findings
from vteam.campaigns.locate import Lines
from vteam.campaigns.loosely import entries, text_in
from vteam.campaigns.pictures import check_cover
from vteam.campaigns.syntax import Reading, read_toml
from vteam.campaigns.values import file_name_problem
from vteam.errors import AudioError, CampaignFileError

FILE_KIB_MAX = 256
SENTENCE_MAX = 400
"""Characters of a sentence; what hands wrote is quoted in it, however long it is."""
GIFT_MIB_MAX = 100
FILES_LOOKED_INTO_MAX = 50
"""Titles whose files are opened; one with more is told that these are too many."""
OBEYED = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories of characters that are no letter to look at but an order to follow."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing to mend. `line` counts from 1; 0: the file as a whole."""

    file: str
    line: int
    wrong: str
    instead: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.wrong} → {self.instead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The campaign, only where there is no problem; `audio` by the title's key, for every MP3 found good."""

    file: CampaignFile | None
    problems: list[Problem]
    folder: Path
    audio: dict[str, Audio] = field(default_factory=dict)


def check_campaign(path: Path) -> Checked:
    """Check the campaign file at `path` (or `campaign.toml` in the folder `path`) and the files it names."""
    path = path / "campaign.toml" if path.is_dir() else path
    try:
        source = _source(path)
    except CampaignFileError as error:
        wrong, _, instead = str(error).partition(" → ")
        return Checked(file=None, problems=[_problem(path, 0, wrong, instead)], folder=path.parent)
    reading = read_toml(source)
    file, found = _tables(reading)
    audio, in_folder = _files(reading.tables, path.parent)
    lines = _lines(reading.text)
    problems = [_problem(path, mistake.line, mistake.wrong, mistake.instead) for mistake in reading.mistakes]
    problems += [
        _problem(path, lines.line(finding.path), finding.wrong, finding.instead)
        for finding in [*(each for each in found if not _only_lost(each, reading)), *in_folder]
    ]
    problems = _bounded(path, sorted(set(problems)), cut=len(found) >= FINDINGS_MAX)
    return Checked(file=None if problems else file, problems=problems, folder=path.parent, audio=audio)


def _problem(path: Path, line: int, wrong: str, instead: str) -> Problem:
    return Problem(file=shown(str(path)), line=line, wrong=_short(wrong), instead=_short(instead))


def shown(text: str) -> str:
    """`text` on one line, with what a terminal would obey (control and direction marks) written as in TOML."""
    return "".join(_escaped(mark) if unicodedata.category(mark) in OBEYED else mark for mark in text)


def _escaped(mark: str) -> str:
    return f"\\u{ord(mark):04x}" if ord(mark) <= 0xFFFF else f"\\U{ord(mark):08x}"


def _short(sentence: str) -> str:
    return shown(sentence if len(sentence) <= SENTENCE_MAX else f"{sentence[:SENTENCE_MAX]}…")


def _bounded(path: Path, problems: list[Problem], *, cut: bool) -> list[Problem]:
    """The first FINDINGS_MAX problems, and a last one where there are more, or some were `cut` before."""
    kept = problems[:FINDINGS_MAX]
    if not kept or (len(kept) == len(problems) and not cut):
        return problems
    wrong = f"there may be more to mend than these {len(kept)}"
    return [*kept, _problem(path, kept[-1].line, wrong, "mend these first and check again")]


def _lines(text: str) -> Lines:
    """Where things stand; nowhere in a text nested so deep that it cannot be walked."""
    try:
        return Lines(text)
    except RecursionError:
        return Lines("")


def _source(path: Path) -> str:
    """The text of the file; CampaignFileError "wrong → instead" where it is no text of a sensible size."""
    try:
        if not path.is_file():
            raise CampaignFileError(
                "there is no such file → write the path of a campaign.toml, or of its folder"
            )
        with path.open("rb") as file:
            data = file.read((FILE_KIB_MAX << 10) + 1)
        if len(data) > FILE_KIB_MAX << 10:
            raise CampaignFileError(f"it is larger than {FILE_KIB_MAX} KiB → write a shorter file")
        return data.decode("utf-8-sig")
    except OSError as error:
        wrong = f"it cannot be read ({error.strerror or error})"
        raise CampaignFileError(f"{wrong} → give this account the right to read it") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"line {line} holds letters in another encoding"
        raise CampaignFileError(f"{wrong} → save the file as UTF-8 in your editor") from error


# Tables ------------------------------------------------------------
def _tables(reading: Reading) -> tuple[CampaignFile | None, list[Finding]]:
    """The campaign in the tables, and everything wrong with them one by one and together."""
    if not reading.tables and reading.mistakes:
        return None, []
    found = contradictions(reading.tables, lost_tables=reading.lost_tables)
    file = None
    try:
        file = CampaignFile.model_validate(reading.tables)
    except ValidationError as error:
        found = findings(error, reading.tables) + found
    return file, found


def _only_lost(finding: Finding, reading: Reading) -> bool:
    """True for a key called missing that stands in a line which could not be read."""
    if finding.missing is None:
        return False
    return finding.missing in reading.lost_keys or (reading.lost_tables and len(finding.path) == 1)


# The files it names ------------------------------------------------------------
def _files(tables: dict[str, Any], folder: Path) -> tuple[dict[str, Audio], list[Finding]]:
    """Every MP3 found good by its title's key, and what is wrong with MP3s and covers."""
    audio: dict[str, Audio] = {}
    found: list[Finding] = []
    for at, title in entries(tables, "titles")[:FILES_LOOKED_INTO_MAX]:
        try:
            looked_at = _audio(title, folder)
        except (CampaignFileError, AudioError) as error:
            found.append(_about_file(("titles", at, "file"), str(title["file"]), error, "MP3"))
        else:
            if looked_at is not None:
                audio[text_in(title, "key") or str(at)] = looked_at
        found += _cover(("titles", at, "cover"), title, folder)
    for at, prize in entries(tables, "prizes"):
        found += _gift(("prizes", at, "file"), prize, folder)
    theme = tables.get("theme")
    found += _cover(("theme", "cover"), theme if isinstance(theme, dict) else {}, folder)
    return audio, found


def _audio(title: dict[str, Any], folder: Path) -> Audio | None:
    name = text_in(title, "file")
    if name is None or file_name_problem(name):
        return None
    return inspect_mp3(inside(folder, name))


def _cover(path: tuple[str | int, ...], table: dict[str, Any], folder: Path) -> list[Finding]:
    name = text_in(table, "cover")
    if name is None or file_name_problem(name):
        return []
    try:
        check_cover(inside(folder, name))
    except CampaignFileError as error:
        return [_about_file(path, name, error, "picture")]
    return []


def _gift(path: tuple[str | int, ...], table: dict[str, Any], folder: Path) -> list[Finding]:
    name = text_in(table, "file")
    if name is None or file_name_problem(name):
        return []
    try:
        size = inside(folder, name).stat().st_size
    except CampaignFileError as error:
        return [_about_file(path, name, error, "gift")]
    if 0 < size <= GIFT_MIB_MAX * 2**20:
        return []
    wrong = f"{name}: it is empty" if not size else f"{name}: it is bigger than {GIFT_MIB_MAX} MiB"
    return [Finding(path=path, wrong=wrong, instead=INSTEAD["gift"])]


INSTEAD = {
    "gift": f"put the file there that winners download, of at most {GIFT_MIB_MAX} MiB",
    "MP3": "export the song again as an MP3 from your music program",
    "picture": "put a square JPEG, PNG or WebP of at least 600 × 600 pixels there",
}


def _about_file(path: tuple[str | int, ...], name: str, error: Exception, kind: str) -> Finding:
    wrong, _, instead = str(error).partition(" → ")
    return Finding(path=path, wrong=f"{name}: {wrong}", instead=instead or INSTEAD[kind])


def inside(folder: Path, name: str) -> Path:
    """The file `name` in `folder`; CampaignFileError where it is not there, a link, or outside."""
    problem = file_name_problem(name)
    if problem:
        raise CampaignFileError(f"{problem} → put it beside the campaign file")
    path = folder / name
    on_the_way = [path, *path.parents][: len(Path(name).parts)]
    if any(step.is_symlink() for step in on_the_way):
        raise CampaignFileError("it is a link to somewhere else → put the file itself there")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CampaignFileError("it lies outside the campaign's folder → put it beside the campaign file")
    if not path.is_file():
        raise CampaignFileError(f"there is no such file → {_nearest_file(folder, name)}")
    return path


def _nearest_file(folder: Path, name: str) -> str:
    """What to do about a file that is not there: one in the same place, or beside the campaign, may be meant."""
    places = dict.fromkeys((folder / Path(name).parent, folder))
    there = [file.relative_to(folder).as_posix() for place in places for file in _files_in(place)]
    lower = {each.casefold(): each for each in there}
    near = difflib.get_close_matches(name.casefold(), lower, n=1, cutoff=0.6)
    return f'did you mean "{lower[near[0]]}"?' if near else f"put the file at {name}, or write its right name"


def _files_in(place: Path) -> list[Path]:
    try:
        return [file for file in sorted(place.iterdir()) if file.is_file()]
    except OSError:  # no such folder, or one that cannot be listed: nothing can be suggested from it
        return []
