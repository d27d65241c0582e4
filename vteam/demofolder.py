"""Whether a data folder is a demo's: a file in it says so, written before the demo's campaign is.

No Django and no settings, so that the settings themselves may ask. Refuses nothing; who asks decides.
"""

from pathlib import Path

MARKER = "demo"
SENTENCE = "This data folder belongs to vTeam's demo: its fans, artists and points are invented.\n"


def is_demo_folder(data: Path) -> bool:
    """Whether the demo was opened in the data folder."""
    return (data / MARKER).is_file()


def mark_as_demo(data: Path) -> None:
    """Say in the data folder, for good, that it is a demo's. Raises OSError where it cannot be written."""
    data.mkdir(parents=True, exist_ok=True)
    (data / MARKER).write_text(SENTENCE)
