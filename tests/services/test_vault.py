"""What belongs to a person is sealed: opened by the right keys alone, and nowhere in the database to be read."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import cast
from tests.cast import AT, AT_US, come_in_as, entry, share_of
from tests.services.letters import in_the_mailbox
from vteam.campaigns.joining import come_in
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.delivery import deliver_due
from vteam.errors import SealError
from vteam.people import vault
from vteam.people.models import Person
from vteam.rules.networks import Networks

ADDRESS = "zoe.quillfeather+lune@post.example"
NAME = "Quillfeather"
C = 7


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_was_sealed_is_opened_again_unchanged(text: str) -> None:
    key = vault.new_key()
    sealed = vault.seal(key, text)
    assert vault.unseal(key, sealed) == text
    assert vault.seal(key, text) != sealed, "the same text never looks the same twice"
    if len(text) > 3:
        assert text.encode() not in sealed


def test_another_persons_key_opens_nothing() -> None:
    sealed = vault.seal(vault.new_key(), ADDRESS)
    with pytest.raises(SealError):
        vault.unseal(vault.new_key(), sealed)


def test_another_master_key_opens_nothing_and_the_message_says_where_to_look(settings: Any) -> None:
    key = vault.new_key()
    sealed = vault.seal(key, ADDRESS)
    settings.MASTER_KEY = "another installation's key"
    with pytest.raises(SealError, match="keys/master"):
        vault.unseal(key, sealed)


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_a_changed_byte_opens_nothing(place: int) -> None:
    key = vault.new_key()
    sealed = bytearray(vault.seal(key, ADDRESS))
    sealed[place] ^= 1
    with pytest.raises(SealError):
        vault.unseal(key, bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 12, b"x" * 400])
def test_what_was_never_sealed_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(SealError):
        vault.unseal(vault.new_key(), sealed)
    with pytest.raises(SealError):
        vault.unseal(sealed, vault.seal(vault.new_key(), ADDRESS))


def test_an_address_is_found_however_it_is_spelled_and_only_with_our_key(settings: Any) -> None:
    assert vault.lookup_of(" Bo@EXAMPLE.org\n") == vault.lookup_of("bo@example.org")
    assert vault.lookup_of("bo@zoé.example") == vault.lookup_of("bo@zoe\u0301.example")
    assert vault.lookup_of("bo@zoé.example") == vault.lookup_of("bo@xn--zo-cja.example")
    assert vault.lookup_of("bo@example.org") != vault.lookup_of("bo@example.com")
    before = vault.lookup_of("bo@example.org")
    settings.MASTER_KEY = "another installation's key"
    assert vault.lookup_of("bo@example.org") != before


def test_a_hash_for_one_purpose_is_none_for_another() -> None:
    assert vault.keyed_hash("mailed code", "123456") != vault.keyed_hash("mailed link", "123456")


# More than one master key ---------------------------------------------------------------------------------------
def with_keys(settings: Any, *keys: str) -> None:
    settings.MASTER_KEYS, settings.MASTER_KEY = keys, keys[-1]


def test_what_an_older_key_wrapped_is_opened_wherever_that_key_stands(settings: Any) -> None:
    old = settings.MASTER_KEY
    key = vault.new_key()
    sealed = vault.seal(key, ADDRESS)
    for ring in ((old, "b"), (old, "b", "c"), ("b", old, "c"), ("b", "c", old)):
        with_keys(settings, *ring)
        assert vault.unseal(key, sealed) == ADDRESS
        assert vault.age_of(key) == len(ring) - 1 - ring.index(old)


def test_what_was_wrapped_before_keys_had_marks_is_opened_by_any_key_of_the_ring(settings: Any) -> None:
    old = settings.MASTER_KEY
    marked = vault.new_key()
    unmarked, sealed = marked[vault.MARK_BYTES :], vault.seal(marked, ADDRESS)
    assert (len(marked), len(unmarked)) == (64, vault.UNMARKED_BYTES)
    for ring in ((old,), (old, "b"), ("b", old, "c")):
        with_keys(settings, *ring)
        assert vault.unseal(unmarked, sealed) == ADDRESS
    with_keys(settings, "b", "c")
    with pytest.raises(SealError):
        vault.unseal(unmarked, sealed)


def test_a_key_wrapped_anew_is_the_same_key_and_needs_the_newest_alone(settings: Any) -> None:
    key = vault.new_key()
    sealed = vault.seal(key, ADDRESS)
    assert vault.rewrapped(key) == key, "there is nothing newer"
    with_keys(settings, settings.MASTER_KEY, "b")
    anew = vault.rewrapped(key)
    assert anew != key
    assert vault.rewrapped(anew) == anew
    with_keys(settings, "b")
    assert vault.unseal(anew, sealed) == ADDRESS
    with pytest.raises(SealError):
        vault.unseal(key, sealed)


def test_an_address_and_a_secret_have_one_hash_a_key_newest_first(settings: Any) -> None:
    with_keys(settings, "a", "b", "c")
    lookups, hashes = vault.lookups_of(ADDRESS), vault.keyed_hashes("mailed link", "secret")
    assert (vault.lookup_of(ADDRESS), vault.keyed_hash("mailed link", "secret")) == (lookups[0], hashes[0])
    for key, lookup, told in zip("cba", lookups, hashes, strict=True):
        with_keys(settings, key)
        assert (vault.lookup_of(ADDRESS), vault.keyed_hash("mailed link", "secret")) == (lookup, told)
    assert len({*lookups, *hashes}) == 6


@pytest.mark.django_db
def test_destroying_a_persons_key_makes_their_address_unreadable() -> None:
    person = come_in_as(entry(C), ADDRESS).person
    Person.objects.filter(pk=person.pk).update(sealed_key=vault.new_key())
    after = Person.objects.get(pk=person.pk)
    with pytest.raises(SealError):
        vault.unseal(bytes(after.sealed_key), bytes(after.sealed_address))


def every_value() -> list[tuple[str, bytes]]:
    """Every value of every column of every table, as bytes, with where it stands."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    found.append((f"{table}.{column}", data))
    return found


@pytest.mark.django_db
def test_no_address_stands_anywhere_in_clear_and_no_name_outside_people(
    settings: Any, tmp_path: Path
) -> None:
    """From asking for the code to earning points, with the mail gone wrong on the way."""
    settings.DATA = tmp_path
    networks = Networks.of("203.0.113.77", key=cast.NETWORK_KEY)
    wanted = entry(C, NAME)
    asker = Asker(network=networks.near, base_url="http://localhost")
    cast.open_season(C)
    pending = ask_code(address=ADDRESS, entry=wanted, asker=asker, link_path="/code", at=AT)
    everywhere = every_value()
    deliver_due(at=AT)
    assert in_the_mailbox()[0]["To"] == ADDRESS
    everywhere += every_value()
    arrived = come_in(pending=pending, entry=wanted, network=networks.near, signed_in_fan=None, at_us=AT_US)
    assert arrived.fan is not None
    cast.share_of(arrived.fan)
    come_in_as(entry(C, "Cy", share=share_of(arrived.fan, "my blog")), "cy@post.example")
    cast.move()
    everywhere += every_value()
    assert len(everywhere) > 300
    for secret in (ADDRESS, ADDRESS.partition("@")[0], "post.example", "203.0.113"):
        places = {place for place, value in everywhere if secret.encode() in value.lower()}
        assert places == set(), secret
    named = {place for place, value in everywhere if NAME.lower().encode() in value.lower()}
    assert named == {"people_fan.name", "people_pending.name"}
