"""`vteam replay` and `vteam verify`: are the books what the journal gives, and do they and the permissions hold."""

import functools
from typing import TYPE_CHECKING

from vteam.cli.terminal import EverySlug, bar, campaigns_of, err, out, prepare, set_up, step
from vteam.errors import VTeamError

if TYPE_CHECKING:
    from vteam.campaigns.models import Campaign


PERMISSIONS_HOLD = "the permissions hold"


def replay(slug: EverySlug = None) -> None:
    """Recompute the books from the journal alone and compare: they must be the same, byte for byte."""
    prepare()
    from django.db import connection

    from vteam.ledger.replay import replay as replay_books
    from vteam.ledger.snapshot import snapshot

    wrong = 0
    for campaign in campaigns_of(slug):
        with snapshot(connection), bar(campaign.slug, _facts(campaign)) as progress:
            moves = functools.partial(step, progress)
            difference = replay_books(connection, campaign.pk, progress=moves)
        wrong += _tell(campaign.slug, difference, "replayed to the same bytes")
    raise SystemExit(1 if wrong else 0)


def verify(slug: EverySlug = None) -> None:
    """Check chain, sums and standings of the books, the chain of what people allow, and that neither can be edited.

    Names the first wrong row.
    """
    _refuse_editable_books()
    prepare()
    from django.db import connection

    from vteam.ledger.snapshot import snapshot
    from vteam.ledger.verify import verify as verify_books
    from vteam.permissions.queries import verify as verify_permissions
    from vteam.permissions.services import INSTALLATION

    wrong = 0
    for campaign in campaigns_of(slug):
        with snapshot(connection):
            difference = verify_books(connection, campaign.pk)
            said = verify_permissions(connection, campaign.pk)
        wrong += _tell(campaign.slug, difference, "the books hold")
        wrong += _tell(campaign.slug, said, PERMISSIONS_HOLD)
    if slug is None:
        with snapshot(connection):
            said = verify_permissions(connection, INSTALLATION)
        wrong += _tell("the installation", said, PERMISSIONS_HOLD)
    raise SystemExit(1 if wrong else 0)


def _refuse_editable_books() -> None:
    """Look for the append-only triggers before anything could put them back."""
    set_up()
    from django.db import connection
    from django.db.utils import Error

    from vteam.appendonly import missing

    try:
        gone = missing(connection)
    except Error:
        return  # no database to look at: `_prepare` says what to do about that
    if gone:
        raise VTeamError(
            f"These triggers are gone, so the books may have been edited: {', '.join(gone)}. "
            "Compare with a backup, or with `vteam replay`. The next `vteam run` puts the triggers back."
        )


def _tell(name: str, wrong: str | None, right: str) -> int:
    console, words = (err, wrong) if wrong else (out, right)
    console.print(f"{name}: {words}", markup=False, soft_wrap=True)
    return 1 if wrong else 0


def _facts(campaign: "Campaign") -> int:
    from vteam.journal.models import Fact

    return Fact.objects.filter(campaign_id=campaign.pk).count()
