"""Another master key: everything is brought to it, nobody is lost by it, and whatever is older still opens."""

import secrets
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from tests import cast
from tests import settings as test_settings
from tests.cast import AT, come_in_as, entry, holder_of
from tests.services.doors import BO, DAY, HOUR, MINUTE, C, ask, mailed
from tests.services.installed import VTEAM, Installed, installed, with_keys_of
from tests.services.letters import code_in, in_the_mailbox, link_in
from vteam.backup.archive import ring
from vteam.channels.erasing import erase
from vteam.channels.mail.codes import never_again
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.rekeying import bring_to_newest
from vteam.errors import SealError, SettingsError
from vteam.keys import add_key, given_keys, kept_key, kept_keys, path_of
from vteam.locks import held
from vteam.people import vault
from vteam.people.models import Pending, Person
from vteam.people.rotation import PAGE, Rekeyed, people_by_age
from vteam.people.services import (
    Proof,
    address_of,
    address_of_person,
    open_pending,
    prove_by_code,
    prove_by_link,
)
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.models import Refusal
from vteam.rights.services import invite, invited, take_invitation

CY, NEVER = "cy@example.org", "never@example.org"
in_database = pytest.mark.django_db


def untold(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(autouse=True)
def _mailbox_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def another_key(settings: Any) -> str:
    """A key that is nowhere yet: `add` puts it into the ring."""
    return secrets.token_urlsafe(48)


def add(settings: Any, key: str) -> None:
    """The ring has a newer key, and nothing is sealed under it yet."""
    settings.MASTER_KEYS, settings.MASTER_KEY = (*settings.MASTER_KEYS, key), key


def leave_only(settings: Any, key: str) -> None:
    settings.MASTER_KEYS, settings.MASTER_KEY = (key,), key


def rotate(settings: Any, key: str) -> Rekeyed:
    add(settings, key)
    return bring_to_newest(tell=untold)


# The files ------------------------------------------------------------------------------------------------------
def test_a_file_of_one_line_is_one_key_and_of_several_a_ring_with_the_newest_last(tmp_path: Path) -> None:
    first = kept_key(tmp_path, "master")
    assert kept_keys(tmp_path, "master") == (first,)
    second, third = add_key(tmp_path, "master")[-1], add_key(tmp_path, "master")[-1]
    assert kept_keys(tmp_path, "master") == (first, second, third)
    assert kept_key(tmp_path, "master") == third
    assert len({first, second, third}) == 3


def test_a_key_is_added_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    kept_key(tmp_path, "master")
    add_key(tmp_path, "master")
    assert stat.S_IMODE(path_of(tmp_path, "master").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["master"]


def test_a_file_that_is_a_link_to_where_the_keys_are_stays_one(tmp_path: Path) -> None:
    (tmp_path / "safe").write_text("k" * 48)
    (tmp_path / "keys").mkdir()
    path_of(tmp_path, "master").symlink_to(tmp_path / "safe")
    keys = add_key(tmp_path, "master")
    assert path_of(tmp_path, "master").is_symlink()
    assert (tmp_path / "safe").read_text().split() == list(keys)


def test_where_no_key_can_be_added_the_old_ones_are_as_they_were(tmp_path: Path) -> None:
    name = "m" * 250  # what is written beside it has too long a name for any disk
    before = kept_key_written(tmp_path, name)
    with pytest.raises(SettingsError, match="No key was added"):
        add_key(tmp_path, name)
    assert path_of(tmp_path, name).read_text() == before


def kept_key_written(data: Path, name: str) -> str:
    key = "k" * 48
    path_of(data, name).parent.mkdir()
    path_of(data, name).write_text(key)
    return key


@pytest.mark.parametrize("text", ["\n", "{0}\nshort\n{0}", "short\n{0}", "{0}\nx"])
def test_a_ring_with_a_damaged_line_is_refused_whole(tmp_path: Path, text: str) -> None:
    kept_key_written(tmp_path, "master")
    path_of(tmp_path, "master").write_text(text.format("k" * 48))
    with pytest.raises(SettingsError, match="damaged"):
        kept_keys(tmp_path, "master")


def test_line_ends_and_empty_lines_of_an_editor_are_no_part_of_a_key(tmp_path: Path) -> None:
    kept_key_written(tmp_path, "master")
    path_of(tmp_path, "master").write_text(f"{'k' * 48}\r\n\n{'l' * 48}\n")
    assert kept_keys(tmp_path, "master") == ("k" * 48, "l" * 48)


def test_keys_are_given_with_commas_and_each_is_looked_at() -> None:
    old, new = "o" * 48, "n" * 48
    assert given_keys("VTEAM_MASTER_KEY", f"{old}, {new}") == (old, new)
    for text in (f"{old},", f",{new}", f"{old},,{new}", f"{old},short", "short"):
        with pytest.raises(SettingsError, match="VTEAM_MASTER_KEY"):
            given_keys("VTEAM_MASTER_KEY", text)


# Before anything is brought to the new key ----------------------------------------------------------------------
@in_database
def test_somebody_of_an_older_key_comes_in_again_as_who_they_are(settings: Any, another_key: str) -> None:
    before = come_in_as(entry(C), BO)
    add(settings, another_key)
    after = come_in_as(entry(C), BO, at=AT + DAY)
    assert (after.person, after.fan) == (before.person, before.fan)
    assert address_of_person(after.person) == BO
    assert Person.objects.count() == 1


@in_database
def test_a_code_is_not_made_twice_because_a_key_came_between(settings: Any, another_key: str) -> None:
    pending = ask()
    add(settings, another_key)
    assert ask(at=AT + MINUTE) == pending
    assert mailed() == 1


# All of it ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Kept:
    """A row in every table with something sealed, and what came by mail for it."""

    person: Person
    pending: Pending
    code: str
    link_secret: str


@pytest.fixture
def kept(db: None) -> Kept:
    person = come_in_as(entry(C), BO).person
    opened = open_pending(address=CY, entry=entry(C, "Cy"), at=AT)
    ask("dan@example.org")
    assert opened.code is not None
    assert opened.link_secret is not None
    return Kept(person, opened.pending, opened.code, opened.link_secret)


def columns() -> list[tuple[bytes, bytes]]:
    """Every wrapped key and lookup."""
    return [
        (bytes(key), bytes(lookup))
        for model in (Person, Pending, OutboxMessage)
        for key, lookup in model._default_manager.order_by("pk").values_list("sealed_key", "lookup")
    ]


def test_afterwards_nothing_needs_the_older_keys(settings: Any, kept: Kept, another_key: str) -> None:
    before = columns()
    assert rotate(settings, another_key) == Rekeyed(moved=4)
    assert not {value for pair in before for value in pair} & {value for pair in columns() for value in pair}
    leave_only(settings, another_key)
    for row, address in [
        (Person.objects.get(), BO),
        *zip(Pending.objects.order_by("name"), ("dan@example.org", CY), strict=True),
    ]:
        opened = address_of_person(row) if isinstance(row, Person) else address_of(row)
        assert (opened, bytes(row.lookup)) == (address, vault.lookup_of(address))
    assert bytes(OutboxMessage.objects.get().lookup) == vault.lookup_of("dan@example.org")


def test_doing_it_again_changes_nothing(settings: Any, kept: Kept, another_key: str) -> None:
    rotate(settings, another_key)
    before = columns()
    assert bring_to_newest(tell=untold) == Rekeyed(there=4)
    assert columns() == before


def test_from_each_key_to_the_next_and_past_one_that_was_never_used(settings: Any, kept: Kept) -> None:
    rotate(settings, secrets.token_urlsafe(48))
    add(settings, secrets.token_urlsafe(48))
    assert rotate(settings, secrets.token_urlsafe(48)).moved == 4
    assert people_by_age() == {0: 1}


def test_what_was_wrapped_before_keys_had_marks_is_brought_along(
    settings: Any, kept: Kept, another_key: str
) -> None:
    for row in (kept.person, *Pending.objects.all(), OutboxMessage.objects.get()):
        row.sealed_key = bytes(row.sealed_key)[vault.MARK_BYTES :]
        row.save(update_fields=["sealed_key"])
    assert people_by_age() == {0: 1}
    assert bring_to_newest(tell=untold).moved == 0, "one key alone has nothing to bring"
    rotate(settings, another_key)
    assert people_by_age() == {0: 1}
    leave_only(settings, another_key)
    assert address_of_person(Person.objects.get()) == BO


def test_a_crash_in_the_middle_leaves_all_as_it_was_and_the_next_time_finishes(
    settings: Any, kept: Kept, another_key: str
) -> None:
    before = columns()

    def crash(what: str, done: int, total: int) -> None:
        if what == "letters":
            assert columns() != before, "by now something was written"
            raise KeyboardInterrupt

    add(settings, another_key)
    with pytest.raises(KeyboardInterrupt):
        bring_to_newest(tell=crash)
    assert columns() == before
    assert prove_by_code(pending=kept.pending, typed=kept.code, at=AT) is Proof.RIGHT
    assert bring_to_newest(tell=untold) == Rekeyed(moved=4)


@in_database
def test_more_than_a_page_is_brought_whole_and_told_to_the_end(settings: Any, another_key: str) -> None:
    total, told = 2 * PAGE + 1, []
    addresses = [f"fan{number}@example.org" for number in range(total)]
    for address in addresses:
        key = vault.new_key()
        Person.objects.create(
            lookup=vault.lookup_of(address),
            sealed_key=key,
            sealed_address=vault.seal(key, address),
            language="en",
        )
    add(settings, another_key)
    found = bring_to_newest(tell=lambda *step: told.append(step))
    assert found == Rekeyed(moved=total)
    assert told == [("accounts", PAGE, total), ("accounts", 2 * PAGE, total), ("accounts", total, total)]
    leave_only(settings, another_key)
    assert [address_of_person(person) for person in Person.objects.order_by("pk")] == addresses


def test_what_no_key_opens_is_left_as_it_is_and_told(
    settings: Any, kept: Kept, another_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    strange = secrets.token_bytes(64)
    Person.objects.update(sealed_key=strange)
    assert rotate(settings, another_key) == Rekeyed(moved=3, unopened=1)
    assert bytes(Person.objects.get().sealed_key) == strange
    assert "1 accounts are sealed with none of the master keys here" in caplog.text
    assert people_by_age() == {None: 1}


# Afterwards -----------------------------------------------------------------------------------------------------
@in_database
def test_somebody_signs_in_after_as_before(settings: Any, another_key: str) -> None:
    before = come_in_as(entry(C), BO)
    rotate(settings, another_key)
    after = come_in_as(entry(None), BO, at=AT + DAY)
    assert after.person == before.person
    assert Person.objects.count() == 1


def test_a_code_and_a_link_that_were_on_their_way_are_still_good(
    settings: Any, kept: Kept, another_key: str
) -> None:
    rotate(settings, another_key)
    other = f"{(int(kept.code) + 1) % 1_000_000:06}"
    assert prove_by_code(pending=kept.pending, typed=other, at=AT) is Proof.WRONG
    assert prove_by_code(pending=kept.pending, typed=kept.code, at=AT) is Proof.RIGHT
    assert prove_by_link(link_secret=kept.link_secret, at=AT + HOUR) == kept.pending


@in_database
def test_a_letter_that_waited_leaves_and_its_code_opens_the_door(settings: Any, another_key: str) -> None:
    pending = ask()
    rotate(settings, another_key)
    deliver_due(at=AT)
    (letter,) = in_the_mailbox()
    assert letter["To"] == BO
    assert prove_by_code(pending=pending, typed=code_in(letter), at=AT) is Proof.RIGHT


@in_database
def test_who_said_never_again_is_still_refused_whichever_key_it_was(settings: Any) -> None:
    refuse_for_ever(lookup=vault.lookup_of(NEVER), act="by hand", at=AT)
    for day in range(1, 3):
        rotate(settings, secrets.token_urlsafe(48))
        ask(NEVER, at=AT + day * DAY)
        assert mailed() == 0
    ask(BO, at=AT + 3 * DAY)
    assert mailed() == 1


@in_database
def test_a_letter_waits_its_recipient_refuses_a_key_comes_and_it_never_leaves(
    settings: Any, another_key: str
) -> None:
    ask()
    refuse_for_ever(lookup=vault.lookup_of(BO), act="by hand", at=AT)
    rotate(settings, another_key)
    deliver_due(at=AT)
    assert in_the_mailbox() == []
    assert OutboxMessage.objects.get().state == OutboxMessage.GIVEN_UP


@in_database
def test_the_never_again_of_a_letter_from_before_still_works(settings: Any, another_key: str) -> None:
    ask()
    deliver_due(at=AT)
    token = link_in(in_the_mailbox()[0], "/never")
    rotate(settings, another_key)
    for _ in range(2):
        assert never_again(token=token, at=AT)
    assert Refusal.objects.count() == 1
    ask(at=AT + DAY)
    assert mailed() == 1, "the one that had left before"


@in_database
def test_an_invitation_handed_out_before_is_taken_after(settings: Any, another_key: str) -> None:
    campaign = cast.open_campaign()
    holder = holder_of(campaign.titles.earliest("pk"))
    secret = invite(holder=holder, at=AT)
    rotate(settings, another_key)
    assert invited(secret) == holder
    person = come_in_as(entry(None), BO).person
    assert take_invitation(secret=secret, person=person) == holder
    assert invited(secret) is None


@in_database
def test_who_erases_their_account_takes_their_old_letters_and_codes_along(
    settings: Any, another_key: str
) -> None:
    person = come_in_as(entry(C), BO).person
    ask()
    deliver_due(at=AT)
    add(settings, another_key)
    ask(at=AT + DAY)
    bring_to_newest(tell=untold)
    assert OutboxMessage.objects.count() == 2
    erase(person=Person.objects.get(pk=person.pk), at=AT + DAY)
    assert not OutboxMessage.objects.exists()
    assert not Pending.objects.exists()


@in_database
def test_whose_key_is_destroyed_can_still_erase_their_account() -> None:
    person = come_in_as(entry(C), BO).person
    Person.objects.update(sealed_key=b"gone")
    erase(person=Person.objects.get(pk=person.pk), at=AT)
    assert not Person.objects.exists()


@in_database
def test_who_is_signed_in_stays_so_and_who_is_given_another_key_does_not(
    settings: Any, another_key: str
) -> None:
    person = come_in_as(entry(None), BO).person
    browser = Client(headers={"Host": "localhost"})
    browser.force_login(person)
    assert browser.get("/en/me").status_code == 200
    rotate(settings, another_key)
    assert browser.get("/en/me").status_code == 200
    key = vault.new_key()
    Person.objects.update(sealed_key=key, sealed_address=vault.seal(key, BO))
    assert browser.get("/en/me").status_code != 200


def test_a_backup_is_believed_with_the_key_of_its_time_and_signed_with_the_newest(
    settings: Any, another_key: str
) -> None:
    (before,) = ring()
    add(settings, another_key)
    newest, older = ring()
    assert older == before
    assert newest.master != before.master
    leave_only(settings, another_key)
    assert ring() == [newest]


# The command ----------------------------------------------------------------------------------------------------
LOOKS_UP = """
from django.db import transaction
from vteam.people.models import Person
from vteam.people.services import address_of_person, find_pending
with transaction.atomic():
    found = [find_pending(address=address_of_person(person), campaign_id=None, at=clock.now()).known
             for person in Person.objects.all()]
print(all(found), len(found))
"""
CRASHES = """
import os
from vteam.backup.rotating import rotate
passes = []
def tell(what, done, total):
    passes.append(what)
    if passes.count("accounts") == 2:
        os._exit(0)
rotate(tell=tell)
"""


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The demo with three fans, and its holders' accounts. Nobody changes it."""
    with installed(tmp_path_factory.mktemp("season")) as one:
        one.done("demo", "--no-run", "--fans", 3)
        yield one


@pytest.fixture
def one(season: Installed, tmp_path: Path) -> Iterator[Installed]:
    with installed(tmp_path, like=season) as copied:
        yield copied


def keys_of(place: Installed) -> list[str]:
    return path_of(place.data, "master").read_text().split()


def under(place: Installed) -> list[int]:
    """How many people are sealed under each key, oldest first."""
    told = place.done("keys", "status").splitlines()
    return [int(line.rpartition(" ")[2]) for line in told if line.startswith("  key ")]


def with_keys_given(place: Installed, keys: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = place.environment | {"VTEAM_MASTER_KEY": keys}
    return subprocess.run(
        [VTEAM, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_command_adds_a_key_brings_everybody_to_it_and_says_what_to_do_now(one: Installed) -> None:
    (first,), (people,) = keys_of(one), under(one)
    assert people > 3
    told = one.done("keys", "rotate")
    assert "copy the keys" in told
    assert "never again" in told
    assert first not in told
    assert under(one) == [0, people]
    assert keys_of(one)[0] == first
    assert stat.S_IMODE(path_of(one.data, "master").stat().st_mode) == 0o600
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    one.done("keys", "rotate")
    assert under(one) == [0, 0, people]
    assert "the books hold" in one.done("verify")


def test_killed_after_the_key_was_made_nobody_is_lost_and_the_next_time_finishes_with_that_key(
    one: Installed,
) -> None:
    (people,) = under(one)
    one.inside(CRASHES)
    keys = keys_of(one)
    assert len(keys) == 2
    assert under(one) == [people, 0]
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    assert "No key was made" in one.done("keys", "rotate")
    assert keys_of(one) == keys
    assert under(one) == [0, people]


@pytest.mark.parametrize("role", ["site", "edge", "jobs", "run-site", "run-edge", "run-jobs", "backup"])
def test_while_a_part_of_vteam_runs_no_key_is_made(one: Installed, role: str) -> None:
    with held(one.data, role):
        assert f"{role}.lock is held" in one.refused("keys", "rotate")
        one.done("keys", "status")
    assert len(keys_of(one)) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
def test_while_anybody_is_in_the_database_no_key_is_made(one: Installed) -> None:
    with psycopg.connect(test_settings._server.get_uri(database=one.database)):
        assert "1 other connection(s)" in one.refused("keys", "rotate")
    assert len(keys_of(one)) == 1


def test_keys_from_the_environment_are_added_there_and_everything_is_brought_to_them(one: Installed) -> None:
    (old,), new = keys_of(one), secrets.token_urlsafe(48)
    told = with_keys_given(one, old, "keys", "rotate")
    assert told.returncode == 1
    assert "VTEAM_MASTER_KEY=OLD,NEW" in told.stderr
    told = with_keys_given(one, f"{old},{new}", "keys", "rotate")
    assert told.returncode == 0, told.stderr
    assert "No key was made" in told.stdout
    assert keys_of(one) == [old], "the file is not in use"
    told = with_keys_given(one, new, "keys", "status")
    assert told.returncode == 0, "the new one alone opens everything"
    assert "Master keys in VTEAM_MASTER_KEY: 1" in told.stdout


def test_with_none_of_the_right_keys_none_is_added(one: Installed) -> None:
    wrong = secrets.token_urlsafe(48)
    path_of(one.data, "master").write_text(wrong)
    assert "none of the master keys here opens anything" in one.refused("keys", "rotate")
    assert keys_of(one) == [wrong]
    assert "Put the missing key back" in one.refused("keys", "status")


def test_a_line_taken_away_too_early_can_be_put_back(one: Installed) -> None:
    one.inside(CRASHES)
    (old, new), (people, _) = keys_of(one), under(one)
    path_of(one.data, "master").write_text(new)
    one.refused("keys", "status")
    one.refused("keys", "rotate")
    path_of(one.data, "master").write_text(f"{old}\n{new}\n")
    assert "No key was made" in one.done("keys", "rotate")
    assert under(one) == [0, people]


# Backups of before ----------------------------------------------------------------------------------------------
def test_a_backup_of_before_is_restored_and_brought_to_the_newest_key(one: Installed, tmp_path: Path) -> None:
    (people,) = under(one)
    one.done("backup", tmp_path / "before.tar")
    one.done("keys", "rotate")
    one.done("keys", "rotate")
    one.done("demo", "--no-run", "--fans", 5)
    told = one.done("restore", tmp_path / "before.tar", "--replace")
    assert "an older master key" in told
    assert "links in letters sent before" not in told, "the secret is the same"
    assert under(one) == [0, 0, people]
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    assert "the books hold" in one.done("verify")
    one.done("backup", tmp_path / "after.tar")
    assert "an older master key" not in one.done("restore", tmp_path / "after.tar", "--replace")


def test_a_new_machine_needs_the_key_of_the_backup_beside_the_newest(one: Installed, tmp_path: Path) -> None:
    (people,) = under(one)
    one.done("backup", tmp_path / "before.tar", "--no-verify")
    one.done("keys", "rotate")
    old, new = keys_of(one)
    with installed(tmp_path) as place:
        with_keys_of(one, place)
        path_of(place.data, "master").write_text(new)
        assert "keys/master of that installation back first" in place.refused(
            "restore", tmp_path / "before.tar"
        )
        path_of(place.data, "master").write_text(f"{old}\n{new}\n")
        place.done("restore", tmp_path / "before.tar")
        assert under(place) == [0, people]


def test_a_row_of_an_older_key_says_so_where_that_key_is_gone(
    settings: Any, kept: Kept, another_key: str
) -> None:
    leave_only(settings, another_key)
    with pytest.raises(SealError, match="every line still there"):
        address_of_person(kept.person)
