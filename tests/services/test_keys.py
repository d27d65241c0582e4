"""Another master key: everything is brought to it, nobody is lost by it, and whatever is older still opens."""

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.cast import AT, come_in_as, entry, holder_of
from tests.services.doors import BO, DAY, HOUR, MINUTE, C, ask, mailed
from tests.services.letters import code_in, in_the_mailbox, link_in
from vteam.backup.archive import ring
from vteam.campaigns import organisers
from vteam.channels.erasing import erase
from vteam.channels.mail.codes import never_again
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.rekeying import bring_to_newest
from vteam.errors import SealError, SettingsError
from vteam.keys import add_key, given_keys, kept_key, kept_keys, path_of
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
def test_so_is_an_organisers_or_an_operators(settings: Any, another_key: str) -> None:
    campaign = cast.open_campaign()
    secrets = [organisers.invite(campaign=of, name="Ana", at=AT) for of in (campaign, None)]
    rotate(settings, another_key)
    person = come_in_as(entry(None), BO).person
    for secret, of in zip(secrets, (campaign, None), strict=True):
        assert secret is not None
        found = organisers.invited(secret)
        assert found is not None
        assert found.campaign == of
        assert organisers.take_invitation(secret=secret, person=person) == found
        assert organisers.invited(secret) is None


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


def test_a_row_of_an_older_key_says_so_where_that_key_is_gone(
    settings: Any, kept: Kept, another_key: str
) -> None:
    leave_only(settings, another_key)
    with pytest.raises(SealError, match="every line still there"):
        address_of_person(kept.person)
