"""Debian's Postfix on loopback, from a folder of its own and gone with it: takes mail, returns it, loses none.

It is made so that nothing can leave: it has no SMTP client, takes no recipient outside `example.org` and `.test`,
and listens on 127.0.0.1 alone. The machine's own Postfix, its queue and its settings in /etc are never touched.
What happens to a letter is told by its recipient's domain:

    bounce.test   taken, and returned to its envelope sender with 5.1.1: nobody of that name
    spam.test     taken, and returned with 5.7.1: refused for its content
    full.test     taken, tried again until `lifetime_seconds` are over, then returned with 4.2.2: mailbox full
    reject.test   refused at RCPT with 550 5.1.1
    tmp.test      refused at RCPT with 450 4.3.0, always
    grey.test     refused at RCPT with 450 4.7.1 the first time sender and recipient meet; taken `GREY_SECONDS` later
    other .test, example.org   delivered

What comes back to `bounces@vteam.test`, or to `bounces+anything@vteam.test`, has a mailbox of its own.
"""

import os
import pwd
import signal
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from bench.folder import free_ports
from bench.started import started
from bench.tools import Misleading, tools
from vteam.errors import CannotStart

RETURN_PATH = "bounces@vteam.test"
GREY_SECONDS = 1.0
LIFETIME_SECONDS = 3
# Should this process be killed and not end it, Postfix ends by itself after so long.
UNATTENDED_SECONDS_MAX = 3_600
FAREWELL_SECONDS = 10
# A queue seen empty once may be a letter on its way from one folder of it to the next.
QUIET_LOOKS, LOOK_SECONDS = 3, 0.05
LOG_LINES_TOLD = 20

# `smtpd` asks an address rewriting of its own where a recipient leads: were it told `error:`, it would refuse at RCPT
# what shall be taken first and returned later. The queue manager asks the other one, which knows the transports.
# There is no `smtp`, `relay`, `lmtp`, `local` or `pipe`: what could leave has no way to.
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
  -o rewrite_service_name=rewrite-smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
rewrite-smtpd unix - - n - - trivial-rewrite
  -o transport_maps=
  -o default_transport=virtual:
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
# No table is a file that would have to be compiled; no answer needs a name server; nothing waits on purpose, nor, where
# the machine is so busy that a part of it fails, the minute that Postfix would wait until it starts that one again.
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.vteam.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
append_dot_mydomain = no
recipient_delimiter = +
notify_classes =

relayhost =
default_transport = error:5.7.1 nothing leaves this place
local_transport = error:5.7.1 nobody lives at this place
transport_maps = texthash:{folder}/conf/transports
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/conf/mailboxes
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
virtual_mailbox_limit = 0

smtpd_relay_restrictions =
smtpd_restriction_classes = greylist
greylist = check_policy_service inet:127.0.0.1:{policy_port}, permit
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/conf/recipients, reject

maximal_queue_lifetime = {lifetime}s
bounce_queue_lifetime = {lifetime}s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
service_throttle_time = 1s
delay_warning_time = {warning}s
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
initial_destination_concurrency = 20
default_destination_concurrency_limit = 20
"""
TABLES = {
    "transports": """
bounce.test error:5.1.1 nobody of that name lives here
spam.test error:5.7.1 this looks like something nobody asked for
full.test retry:4.2.2 the mailbox is full
.test virtual:
example.org virtual:
""",
    "recipients": """
reject.test 550 5.1.1 nobody of that name lives here
tmp.test 450 4.3.0 not now
grey.test greylist
test OK
example.org OK
""",
    "mailboxes": r"""
/^bounces(\+.*)?@vteam\.test$/ returned/
/./ delivered/
""",
}
QUEUES = ("incoming", "active", "deferred", "maildrop")
QUEUE_FOLDERS = (*QUEUES, "bounce", "corrupt", "defer", "flush", "hold", "private", "saved", "trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A letter in a mailbox, and the envelope recipient it was delivered for."""

    recipient: str
    message: EmailMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A running Postfix: where it listens, and what it has done with what it was given."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Its address, as VTEAM_EMAIL_URL takes it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def bounces(self) -> Path:
        """The Maildir of what came back to our return path."""
        return self.folder / "mail" / "returned"

    def delivered(self) -> list[Delivered]:
        """Every letter that reached its recipient, the oldest first."""
        return [_delivered(path) for path in _letters(self.folder / "mail" / "delivered")]

    def delivered_count(self) -> int:
        """How many letters reached their recipient."""
        return len(_letters(self.folder / "mail" / "delivered"))

    def returned(self) -> list[bytes]:
        """Everything that came back, as it came, the oldest first."""
        return [path.read_bytes() for path in _letters(self.bounces)]

    def queue_empty(self) -> bool:
        """Nothing is on its way. A letter that just moves from one queue to the next may be overlooked."""
        return not any(self._queued().values())

    def _queued(self) -> dict[str, list[str]]:
        """The files of letters in each queue."""
        return {
            queue: [name for _, _, files in os.walk(self.folder / "queue" / queue) for name in files]
            for queue in QUEUES
        }

    def wait_until_quiet(self, seconds: float) -> None:
        """Until everything taken was delivered or returned; Misleading, with the log's end, when it takes longer."""
        give_up, looks = time.monotonic() + seconds, 0
        while looks < QUIET_LOOKS:
            looks = looks + 1 if self.queue_empty() else 0
            if time.monotonic() > give_up:
                where = ", ".join(f"{len(left)} in {queue}" for queue, left in self._queued().items() if left)
                raise Misleading(f"{self.log()}\nMail was still on its way after {seconds} seconds: {where}")
            time.sleep(LOOK_SECONDS)

    def log(self) -> str:
        """The end of what Postfix wrote down."""
        log = self.folder / "log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(lines[-LOG_LINES_TOLD:])


@contextmanager
def mail_server(
    *, lifetime_seconds: int = LIFETIME_SECONDS, delay_warnings: bool = False
) -> Iterator[MailServer]:
    """A mail server while the block runs; CannotStart says what is missing.

    `lifetime_seconds`: how long a letter that cannot be delivered is tried. `delay_warnings`: its sender is told
    beforehand that it is late, too.
    """
    postconf, _ = tools("postconf", "postfix")
    with tempfile.TemporaryDirectory(prefix="vteam-postfix-") as name, _greylist() as policy_port:
        (port,), folder = free_ports(1), Path(name)
        server = MailServer(port=port, folder=folder)
        _prepare(folder)
        warning = 1 if delay_warnings else 0
        _configure(folder, port, policy_port=policy_port, lifetime=lifetime_seconds, warning=warning)
        asked = subprocess.run(
            [postconf, "-dh", "daemon_directory"], capture_output=True, text=True, check=True
        )
        command = [
            f"{asked.stdout.strip()}/master",
            "-c",
            f"{folder}/conf",
            "-e",
            str(UNATTENDED_SECONDS_MAX),
        ]
        with ExitStack() as stack:
            try:
                group = stack.enter_context(started(command, port=port))
            except CannotStart as trouble:
                raise CannotStart(f"{trouble}\n{server.log()}") from trouble
            try:
                yield server
            finally:
                _end(group)


def _end(group: int) -> None:
    """End Postfix and every process it started: they are one group, named by the first one's id."""
    os.kill(group, signal.SIGTERM)  # It passes that on, as with `postfix stop`.
    # Its parent has not asked for its end yet, so that it still counts as one of the group.
    give_up = time.monotonic() + FAREWELL_SECONDS
    while _members(group) - {group}:
        if time.monotonic() > give_up:
            os.killpg(group, signal.SIGKILL)
        time.sleep(0.01)


def _members(group: int) -> set[int]:
    members = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ProcessLookupError):
            # After the program's name in brackets: state, parent, group.
            _, _, after = (folder / "stat").read_text().rpartition(")")
            if int(after.split()[2]) == group and after.split()[0] != "Z":
                members.add(int(folder.name))
    return members


# Its folder -----------------------------------------------------------------------------------------------------
def _prepare(folder: Path) -> None:
    """The folders Postfix wants, each its owner's; CannotStart when this process may not give them away."""
    if os.geteuid() != 0:
        raise CannotStart("Postfix can be started by root alone: it works under several accounts.")
    folder.chmod(0o755)
    for parent in folder.parents:
        if not parent.stat().st_mode & 0o001:
            raise CannotStart(f"Postfix may not enter {parent}. Name another folder: TMPDIR=/var/tmp")
    account = pwd.getpwnam("postfix")
    # Whatever this process' umask is: Postfix' other accounts come in here too.
    for name in ("conf", "queue", "queue/pid"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    for name in ("data", "mail", "queue/public", *(f"queue/{queue}" for queue in QUEUE_FOLDERS)):
        made = folder / name
        made.mkdir()
        made.chmod(0o755 if name in ("mail", "queue/public") else 0o700)
        try:
            os.chown(made, account.pw_uid, account.pw_gid)
        except OSError as refused:
            raise CannotStart(
                "Postfix works under several accounts, and here there is but one: is this a user namespace?"
            ) from refused


def _configure(folder: Path, port: int, *, policy_port: int, lifetime: int, warning: int) -> None:
    conf, owner = folder / "conf", pwd.getpwnam("postfix").pw_uid
    (conf / "master.cf").write_text(MASTER.format(port=port))
    (conf / "main.cf").write_text(
        MAIN.format(folder=folder, owner=owner, policy_port=policy_port, lifetime=lifetime, warning=warning)
    )
    for name, text in TABLES.items():
        (conf / name).write_text(text)
    for path in conf.iterdir():
        path.chmod(0o644)
        # A file changed just now may still be written to: Postfix would wait a second or two to be sure.
        os.utime(path, (0, 0))


def _letters(mailbox: Path) -> list[Path]:
    found = [path for part in ("new", "cur") for path in (mailbox / part).glob("*")]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _delivered(path: Path) -> Delivered:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    # The first one is Postfix' own; the letter may have brought others.
    return Delivered(recipient=str(message.get_all("X-Original-To", [""])[0]), message=message)


# Greylisting ----------------------------------------------------------------------------------------------------
class _Greylist(socketserver.ThreadingTCPServer):
    """Postfix' policy protocol (SMTPD_POLICY_README): lines of name=value, an empty one, and an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self._first_met: dict[tuple[str, str], float] = {}
        self._one_by_one = threading.Lock()

    def answer(self, asked: dict[str, str]) -> str:
        with self._one_by_one:
            now, both = time.monotonic(), (asked.get("sender", ""), asked.get("recipient", ""))
            if now - self._first_met.setdefault(both, now) >= GREY_SECONDS:
                return "DUNNO"
        return "450 4.7.1 greylisted: try again in a moment"


class _Question(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Greylist)
        asked: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode(errors="replace").strip().partition("=")
            if name:
                asked[name] = value
                continue
            self.wfile.write(f"action={self.server.answer(asked)}\n\n".encode())
            asked = {}


@contextmanager
def _greylist() -> Iterator[int]:
    """The port where Postfix asks whether to greylist, while the block runs."""
    with _Greylist() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
