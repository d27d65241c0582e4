"""The site as a WSGI application, for granian or any other server."""

import os
from pathlib import Path

import django
from django.core.handlers.wsgi import WSGIHandler
from whitenoise import WhiteNoise

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
django.setup(set_prefix=False)

STATIC = Path(__file__).parent / "static"


def _is_immutable(path: str, url: str) -> bool:
    """Built files carry their hash in their name (`page-3f2a91.css`), so browsers may keep them for ever."""
    return "-" in Path(path).name


application = WhiteNoise(WSGIHandler(), immutable_file_test=_is_immutable)
application.add_files(str(STATIC), prefix="static/")
