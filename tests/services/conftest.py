"""What the services' tests may use."""

from pathlib import Path
from typing import Any

import pytest

from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign, Title
from vteam.demo.opening import open_demo
from vteam.jobs.moving import InboxTable, Mover
from vteam.people.models import Fan
from vteam.people.services import become_fan


@pytest.fixture
def own_folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own: mailbox, marks and logs."""
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def demo() -> Campaign:
    """The demo's campaign, its first facts moved."""
    found = open_demo()
    Mover(InboxTable()).move()
    return found


@pytest.fixture
def bo(demo: Campaign) -> Fan:
    """A fan of it."""
    person = account(address="bo@example.org", language="en", at=clock.now())
    found, _ = become_fan(person=person, campaign_id=demo.pk, name="Bo", share_id=None, at=clock.now())
    return found


@pytest.fixture
def digues(demo: Campaign) -> Title:
    """A title of its that may be passed on."""
    return demo.titles.get(key="les-digues")
