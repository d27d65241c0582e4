"""Makes the peer's database and fills it: `python -m bench.idiomatic.fill SEASON.json`; prints a session key a fan."""

# The type checker knows the settings of vTeam alone, in which these models are not.
# mypy: disable-error-code="attr-defined, union-attr, misc, unused-ignore"

import json
import os
import sys
from pathlib import Path

import django


def main(season: Path) -> None:
    """Tables, rows, and everybody signed in; the keys are a JSON object from fan id to session."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.idiomatic.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    _fill(json.loads(season.read_text()))
    sys.stdout.write(json.dumps(_signed_in()))


def _fill(season: dict[str, list[dict[str, object]]]) -> None:
    from django.contrib.auth.models import User
    from django.db import transaction

    from bench.idiomatic import models

    with transaction.atomic():
        campaign = models.Campaign.objects.create(**season["campaign"])  # type: ignore[arg-type]
        User.objects.bulk_create(User(id=fan["id"], username=f"fan{fan['id']}") for fan in season["fans"])
        for name, model in (
            ("missions", models.Mission),
            ("milestones", models.Milestone),
            ("titles", models.Title),
        ):
            model.objects.bulk_create(model(campaign=campaign, **row) for row in season[name])
        models.Fan.objects.bulk_create(
            models.Fan(campaign=campaign, user_id=row["id"], **row) for row in season["fans"]
        )
        models.Share.objects.bulk_create(models.Share(**row) for row in season["shares"])
        models.Award.objects.bulk_create(models.Award(**row) for row in season["awards"])


def _signed_in() -> dict[int, str]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    keys = {}
    for user in User.objects.all():
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        keys[user.pk] = str(session.session_key)
    return keys


if __name__ == "__main__":
    main(Path(sys.argv[1]))
