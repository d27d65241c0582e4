"""What the services' tests may use."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def own_folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own: mailbox, marks and logs."""
    settings.DATA = tmp_path
    return tmp_path
