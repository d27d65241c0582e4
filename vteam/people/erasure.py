"""Erasing a person: name, address and everything kept under them; the books keep numbers that are nobody's.

What they earned stays in the ledger under their fan's number, which has no name any more. Refuses nothing: asking
is enough. What others did (a recruit's own account, a holder's words about a title) is not theirs and stays.
"""

from django.db import transaction

from vteam.people.models import Pending, Person


@transaction.atomic
def erase(*, person: Person) -> None:
    """Delete a person: their key, sealed address and its hash, memberships with their links, and waiting codes.

    Every session of theirs is nobody's from this moment. A holder they spoke for waits for somebody new.
    """
    Pending.objects.filter(lookup=bytes(person.lookup)).delete()
    person.delete()
