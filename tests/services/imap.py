"""The far end of the wire: Debian's Dovecot on loopback with one account, over a Maildir of the test's own.

Works as root alone, as the Postfix of `bench.postfix` does: both use the accounts their packages made.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.folder import free_ports
from bench.started import started
from tests.docs.webservers import certificate

# A name that was there before would be the message of that time.
_TIMES = itertools.count(1_795_000_000)
USER, PASSWORD = "ana@example.org", 'p"a\\ss w/rd'
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/fullchain.pem
ssl_key = <{folder}/privkey.pem
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/accounts
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Its ports, the folder of its certificate (fullchain.pem), and the Maildir of its account."""

    port: int
    tls_port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"imap://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/INBOX"

    @property
    def tls_url(self) -> str:
        return f"imaps://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@localhost:{self.tls_port}/INBOX"

    def receive(self, *mails: bytes, folder: str = "") -> None:
        """New mail, as a mail server puts it there."""
        for mail in mails:
            box = self.folder / "mail" / folder
            for part in (box, box / "new", box / "cur", box / "tmp"):
                part.mkdir(exist_ok=True)
                shutil.chown(part, "nobody", "nogroup")
            path = box / "new" / f"{next(_TIMES)}.M1.test"
            path.write_bytes(mail)
            shutil.chown(path, "nobody", "nogroup")

    def flags(self, folder: str = "") -> list[str]:
        """The Maildir flags of each message."""
        box = self.folder / "mail" / folder
        found = [path for part in ("new", "cur") for path in (box / part).glob("*.test*")]
        return [path.name.partition(":2,")[2] for path in sorted(found)]


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """An IMAP server while the block runs."""
    # Its sockets need short paths, and its account a folder it may enter.
    with tempfile.TemporaryDirectory(prefix="vteam-imap-") as name:
        folder, (port, tls_port) = Path(name), free_ports(2)
        folder.chmod(0o755)
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "nobody", "nogroup")
        certificate(folder, "localhost")
        (folder / "accounts").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (folder / "conf").write_text(CONFIGURATION.format(folder=folder, port=port, tls_port=tls_port))
        with started(["/usr/sbin/dovecot", "-F", "-c", str(folder / "conf")], port=tls_port):
            yield ImapServer(port, tls_port, folder)
