"""The demo's campaign file: its text, its tables, and what tests make of them."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vteam.campaigns.file import CampaignFile

DEMO = Path(__file__).parents[2] / "demo" / "campaign.toml"
SOURCE = DEMO.read_text()
TABLES = tomllib.loads(SOURCE)
Check = Callable[..., list[str]]


def line_of(text: str) -> int:
    return SOURCE.count("\n", 0, SOURCE.index(text)) + 1


def campaign(**changed: Any) -> CampaignFile:
    return CampaignFile.model_validate(copy.deepcopy(TABLES) | changed)
