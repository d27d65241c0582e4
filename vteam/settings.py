"""The only reader of the environment: every setting begins with VTEAM_ and stands in docs/settings.md.

Refuses what cannot be read with the name of the variable; what can be read but makes no sense together
is refused later, by the system checks in `vteam.checks`.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from environs import Env, EnvValidationError
from marshmallow.validate import OneOf, Range, Regexp

from vteam.demofolder import is_demo_folder
from vteam.errors import SettingsError
from vteam.keys import given_keys, kept_key, kept_keys

env = Env(prefix="VTEAM_", eager=False)


def _is_beacon(address: str) -> bool:
    """Whether rounds may be asked for at an address: by https, or by http on this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.query or parts.fragment or not re.fullmatch("[!-~]+", address):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# Where things stand -----------------------------------------------------------------------------------------
DATA = Path(env.str("DATA", "vteam-data")).absolute()
DEMO = env.bool("DEMO", is_demo_folder(DATA))
HOST = env.str("HOST", "127.0.0.1")
SITE_PORT = env.int("SITE_PORT", 8000, validate=Range(1, 65535))
EDGE_PORT = env.int("EDGE_PORT", 8001, validate=Range(1, 65535))
SITE_WORKERS = env.int("SITE_WORKERS", 2, validate=Range(1, 64))
# The one address people see; empty means http://<the host they asked for>:<port>.
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
EXTRA_HOSTS: list[str] = env.list("HOSTS", [])
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])
DATABASE_URL = env.str("DATABASE_URL", "")
EMAIL_URL = env.str("EMAIL_URL", "")
BOUNCES_URL = env.str("BOUNCES_URL", "")
EMAIL_FROM = env.str("EMAIL_FROM", "vTeam <vteam@localhost>")
# The address letters come back to; each carries its own token in it (VERP). Empty: they come back to EMAIL_FROM.
BOUNCES_ADDRESS = env.str("BOUNCES_ADDRESS", "")
# Hours local to the campaign in which nobody is written to but who asked for a code; equal ones: never quiet.
QUIET_HOURS_GIVEN = env.str("QUIET_HOURS", "21-9", validate=Regexp(r"([01]?\d|2[0-3])-([01]?\d|2[0-3])$"))
# What mail is checked by (`vteam mail check`): the machines that hand it over, the keys they sign with, whom to ask.
MAIL_IPS: list[str] = env.list("MAIL_IPS", [], subcast=str.strip)
DKIM_SELECTORS: list[str] = env.list("DKIM_SELECTOR", [], subcast=str.strip)
RESOLVER = env.str("RESOLVER", "")
# A drand server whose rounds draws are done with by themselves; empty: nothing is ever fetched.
BEACON = env.str("BEACON", "").rstrip("/")
LOG_LEVEL = env.str("LOG_LEVEL", "info", validate=OneOf(["debug", "info", "warning", "error"]))
LOG_FORMAT = env.str("LOG_FORMAT", "line", validate=OneOf(["line", "json"]))
# The site's private port; the edge's and the jobs' are the next two. 0: none is opened.
METRICS_PORT = env.int("METRICS_PORT", 0, validate=Range(0, 65533))
METRICS_HOST = env.str("METRICS_HOST", "127.0.0.1")
# Where browsers ask over UDP which address they are seen at. Web servers do not pass that on, so behind one it is an
# address of its own. 0: nowhere.
STUN_PORT = env.int("STUN_PORT", EDGE_PORT, validate=Range(0, 65535))
STUN_HOST = env.str("STUN_HOST", HOST)
# Where torrent clients meet the witness over TCP; 0: nowhere. No web server passes that on either.
# The edge's may be none yet: what is wrong with settings is told of all of them at once.
WITNESS_PORT = env.int("WITNESS_PORT", ((EDGE_PORT or 0) + 1) % 65536, validate=Range(0, 65535))
WITNESS_HOST = env.str("WITNESS_HOST", HOST)
# The addresses it tells clients to be at; empty: the one they asked the tracker at.
WITNESS_ADDRESSES: list[str] = env.list("WITNESS_ADDRESSES", [], subcast=str.strip)
# Networks it may dial although they are not the internet's.
_HERE = ["127.0.0.0/8", "::1"]
WITNESS_DIALS: list[str] = env.list("WITNESS_DIALS", _HERE if DEMO else [], subcast=str.strip)
# Networks a kiosk may say it is at, to be told a line, although they are not the internet's.
KIOSK_NETWORKS: list[str] = env.list("KIOSK_NETWORKS", _HERE if DEMO else [], subcast=str.strip)
ANNOUNCE_SECONDS = env.int("ANNOUNCE_SECONDS", 90, validate=Range(5, 1800))
ICE_SERVERS: list[str] = env.list("ICE_SERVERS", [], subcast=str.strip)

# Limits, each stated in docs/settings.md; reaching one is recorded, never silent ----------------------------------
CODE_MINUTES = env.int("CODE_MINUTES", 15, validate=Range(1, 120))
CODE_WRONG_TRIES = env.int("CODE_WRONG_TRIES", 8, validate=Range(1, 50))
CODES_PER_ADDRESS_DAY = env.int("CODES_PER_ADDRESS_DAY", 4, validate=Range(1, 100))
CODES_PER_FAN_DAY = env.int("CODES_PER_FAN_DAY", 12, validate=Range(1, 100))
CODES_PER_NETWORK_HOUR = env.int("CODES_PER_NETWORK_HOUR", 40, validate=Range(1, 100_000))
CODES_PER_HOUR = env.int("CODES_PER_HOUR", 5_000, validate=Range(1, 1_000_000))
KIOSKS_PER_FAN = env.int("KIOSKS_PER_FAN", 5, validate=Range(0, 1_000))
KIOSKS_PER_CAMPAIGN = env.int("KIOSKS_PER_CAMPAIGN", 500, validate=Range(1, 100_000))
KIOSK_ASKS_PER_MINUTE = env.int("KIOSK_ASKS_PER_MINUTE", 240, validate=Range(1, 1_000_000))
AVATAR_ASKS_PER_MINUTE = env.int("AVATAR_ASKS_PER_MINUTE", 40, validate=Range(1, 1_000_000))
SHARES_PER_FAN = env.int("SHARES_PER_FAN", 200, validate=Range(1, 10_000))
ARRIVAL_DWELL_SECONDS = env.int("ARRIVAL_DWELL_SECONDS", 3, validate=Range(0, 60))
ARRIVAL_TOKEN_MINUTES = env.int("ARRIVAL_TOKEN_MINUTES", 120, validate=Range(1, 1440))
ARRIVALS_PER_NETWORK_HOUR = env.int("ARRIVALS_PER_NETWORK_HOUR", 600, validate=Range(1, 100_000))
VISITS_PER_NETWORK_MINUTE = env.int("VISITS_PER_NETWORK_MINUTE", 300, validate=Range(1, 1_000_000))
EDGE_ROWS_WAITING = env.int("EDGE_ROWS_WAITING", 10_000, validate=Range(100, 1_000_000))
ARRIVALS_PER_SHARE_DAY = env.int("ARRIVALS_PER_SHARE_DAY", 1_000, validate=Range(1, 1_000_000))
WITNESS_CONNECTIONS = env.int("WITNESS_CONNECTIONS", 4_000, validate=Range(10, 100_000))
ANNOUNCES_PER_NETWORK_MINUTE = env.int("ANNOUNCES_PER_NETWORK_MINUTE", 1_200, validate=Range(1, 100_000_000))
TORRENT_PEERS = env.int("TORRENT_PEERS", 200_000, validate=Range(100, 10_000_000))
RELAY_MIB_S = env.float("RELAY_MIB_S", 20, validate=Range(0.1, 10_000))
PAGES_PER_NETWORK = env.int("PAGES_PER_NETWORK", 60, validate=Range(1, 100_000))
MAILS_PER_DOMAIN_MINUTE = env.int("MAILS_PER_DOMAIN_MINUTE", 300, validate=Range(1, 1_000_000))
APPEAL_DAYS = env.int("APPEAL_DAYS", 30, validate=Range(0, 3650))
AUDIO_MIB_MAX = env.int("AUDIO_MIB_MAX", 40, validate=Range(1, 500))

SECRET_KEY_GIVEN = env.str("SECRET_KEY", "")
MASTER_KEY_GIVEN = env.str("MASTER_KEY", "")
try:
    env.seal()
except EnvValidationError as error:
    told = (
        error.error_messages
        if isinstance(error.error_messages, Mapping)
        else {"settings": error.error_messages}
    )
    problems = [f"{name}: {' '.join(map(str, words))}" for name, words in told.items()]
    raise SettingsError(
        "These settings cannot be used (see docs/settings.md).\n" + "\n".join(problems)
    ) from None
if DATABASE_URL and not DATABASE_URL.startswith(("postgresql://", "postgres://")):
    raise SettingsError(
        "VTEAM_DATABASE_URL: write postgresql://user:password@host/name, or leave it out for SQLite."
    )
try:
    _bounces = urlsplit(BOUNCES_URL).scheme
except ValueError:
    _bounces = "(none)"
if BOUNCES_URL and _bounces not in ("maildir", "imaps", "imap"):
    raise SettingsError(
        "VTEAM_BOUNCES_URL: write maildir:/path/of/a/Maildir or imaps://user:password@host/INBOX, or leave it out."
    )
if not all(server.startswith(("stun:", "stuns:", "turn:", "turns:")) for server in ICE_SERVERS):
    raise SettingsError(
        "VTEAM_ICE_SERVERS: begin each with stun:, stuns:, turn: or turns:, for example "
        "stun:stun.example.org:3478, with commas between them."
    )
if BEACON and not _is_beacon(BEACON):
    raise SettingsError(
        "VTEAM_BEACON: write the address of a drand server that begins with https://, such as https://api.drand.sh, "
        "or leave it out; http:// is for this machine alone."
    )
try:
    list(map(ip_address, WITNESS_ADDRESSES))
    list(map(ip_network, WITNESS_DIALS))
    list(map(ip_network, KIOSK_NETWORKS))
except ValueError as error:
    raise SettingsError(
        f"VTEAM_WITNESS_ADDRESSES takes numeric addresses, VTEAM_WITNESS_DIALS and VTEAM_KIOSK_NETWORKS networks: "
        f"{error}. Put commas between them, for example 203.0.113.7,2001:db8::7 and 10.0.0.0/8,fd00::/8."
    ) from None
try:
    list(map(ip_address, MAIL_IPS))
except ValueError:
    raise SettingsError(
        "VTEAM_MAIL_IPS: write numeric addresses with commas between them, for example 203.0.113.7,2001:db8::7."
    ) from None

QUIET_HOURS = tuple(int(hour) for hour in QUIET_HOURS_GIVEN.split("-"))

SECRET_KEY = SECRET_KEY_GIVEN or kept_key(DATA, "secret")
# Oldest first. What was sealed under an older one is still opened; everything new is sealed under the last.
MASTER_KEYS = (
    given_keys("VTEAM_MASTER_KEY", MASTER_KEY_GIVEN) if MASTER_KEY_GIVEN else kept_keys(DATA, "master")
)
MASTER_KEY = MASTER_KEYS[-1]

# Django -----------------------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]", *EXTRA_HOSTS]
if PUBLIC_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_URL).hostname or "")
ROOT_URLCONF = "vteam.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_htmx",
    "vteam.people",
    "vteam.permissions",
    "vteam.rights",
    "vteam.journal",
    "vteam.ledger",
    "vteam.campaigns",
    "vteam.prizes",
    "vteam.channels.links",
    "vteam.channels.copies",
    "vteam.channels.swarm",
    "vteam.channels.mail",
    "vteam.channels.worlds",
    "vteam.jobs",
    "vteam.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "vteam.web.guards.ContentPolicyMiddleware",
    "vteam.web.guards.SameOriginMiddleware",
    "vteam.web.language.LanguageMiddleware",
    "vteam.web.guards.SmallBodiesMiddleware",
    "django.middleware.common.CommonMiddleware",
    "vteam.web.guards.SessionWhenAskedMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
if METRICS_PORT:
    MIDDLEWARE.insert(0, "vteam.web.figures.FiguresMiddleware")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "vteam.web.context.page"],
            "builtins": ["django.templatetags.i18n", "vteam.web.templatetags.vteam"],
        },
    }
]

# PostgreSQL: nobody waits for ever. The server ends a slow statement, TCP a machine that is gone, and a frozen server
# is given up by vteam.postgresql. What the address itself asks for comes first.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "options": "-c statement_timeout=10s",
}

# One SQLite file unless a database is named. FULL: what was answered survives a power cut. IMMEDIATE: a writer
# waits for its turn at the start, never fails in the middle. recursive_triggers: INSERT OR REPLACE meets the
# append-only triggers too. wal_autocheckpoint, journal_size_limit: `jobs.checkpoints` keeps the write-ahead log short;
# were it away, a commit would do it from 256 MB on. The file is not cut back below that: writing over what is there is
# cheaper than growing.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; PRAGMA secure_delete=ON; "
    "PRAGMA foreign_keys=ON; PRAGMA cache_size=-2000; PRAGMA wal_autocheckpoint=64000; "
    "PRAGMA journal_size_limit=268435456;"
)
if DATABASE_URL:
    DATABASES = {
        "default": dj_database_url.parse(
            DATABASE_URL, engine="vteam.postgresql", conn_max_age=60, conn_health_checks=True
        )
    }
    DATABASES["default"]["OPTIONS"] = {**POSTGRESQL_OPTIONS, **DATABASES["default"].get("OPTIONS", {})}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA / "vteam.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_PRAGMAS},
        }
    }

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["vteam.people.backend.PersonBackend"]
SESSION_ENGINE = "vteam.people.sessions"
SESSION_COOKIE_NAME = "vteam"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
# Bigger bodies are refused by vteam.web.guards before this is asked.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Cross-site requests are refused by vteam.web.guards, which needs no cookie.
SILENCED_SYSTEM_CHECKS = ["security.W003", "security.W004", "security.W008", "security.W012"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [str(Path(__file__).parent / "web" / "locale")]
USE_I18N = True
USE_THOUSAND_SEPARATOR = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "vteam.logs.Line"}, "json": {"()": "vteam.logs.Object"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        # Tells operators, where a process has begun to; it keeps no address and no text of what failed.
        "operators": {"class": "vteam.channels.mail.faults.FaultHandler"},
    },
    "root": {"handlers": ["stderr", "operators"], "level": LOG_LEVEL.upper()},
    # A refused request is an answer, not an event; only our own faults are. psycopg warns of what it raises as well,
    # what draws slips tells which letters they have and lack, and each WebSocket that it opened.
    "loggers": {
        # Without handlers of its own, Django's mails to admins among them: those would say what a request carried.
        "django": {"handlers": []},
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        "psycopg": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
        "fpdf": {"level": "ERROR"},
        "websockets": {"level": "ERROR"},
    },
}
