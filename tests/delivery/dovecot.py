"""A real IMAP server for the tests: Debian's Dovecot with TLS on a free port, started by root or by anybody."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree, which
from tempfile import mkdtemp

from delivery.certificates import server_context

PASSWORD = 'pass word"of letters 表'
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
auth_mechanisms = {mechanisms}
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = required
ssl_cert = <{folder}/smtp.pem
ssl_key = <{folder}/smtp.pem
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user_group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
protocol imap {{
  imap_capability = {capability}
}}
"""


class Dovecot:
    """A running server. Every user name has a mailbox of its own, opened with PASSWORD."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    @property
    def certificate(self) -> Path:
        return self.folder / "smtp.pem"

    @contextmanager
    def owner(self, user: str = "taro", folder: str = "INBOX") -> Iterator[imaplib.IMAP4_SSL]:
        """Open a mailbox as its owner does, with a mail program."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        with imaplib.IMAP4_SSL("localhost", self.port, ssl_context=context, timeout=20) as client:
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
            client.select(folder)
            yield client

    def put(self, *mails: bytes, user: str = "taro", folder: str = "INBOX") -> None:
        """Deliver mails."""
        with self.owner(user) as client:
            for mail in mails:
                kind, said = client.append(folder, "", "", mail)
                assert kind == "OK", said

    def mails(self, user: str = "taro") -> list[tuple[str, str]]:
        """Return the flags and the subject of each mail in the inbox."""
        with self.owner(user) as client:
            _kind, numbers = client.search(None, "ALL")
            found = [
                client.fetch(number.decode(), "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0]
                for number in numbers[0].split()
            ]
        return [_seen(item) for item in found if isinstance(item, tuple)]


def _seen(item: tuple[bytes, bytes]) -> tuple[str, str]:
    return b" ".join(imaplib.ParseFlags(item[0])).decode(), item[1].decode().strip()[9:]


@contextmanager
def dovecot(
    *, mechanisms: str = "plain", capability: str = "", users: tuple[str, ...] = ("taro",)
) -> Iterator[Dovecot]:
    """Run the server. `capability` is what it says it can, in place of the truth."""
    program = which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program, "The tests need Debian's dovecot-imapd."
    folder = Path(mkdtemp(prefix="dovecot-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _write(folder, port, mechanisms, capability, users)
    process = subprocess.Popen([program, "-F", "-c", str(folder / "conf")])
    try:
        _wait(process, port, folder)
        yield Dovecot(folder, port)
    finally:
        process.terminate()
        process.wait(20)
        rmtree(folder, ignore_errors=True)


def _write(folder: Path, port: int, mechanisms: str, capability: str, users: tuple[str, ...]) -> None:
    me = pwd.getpwuid(os.getuid())
    my_group = grp.getgrgid(me.pw_gid).gr_name
    is_root = me.pw_uid == 0
    owner = pwd.getpwnam("nobody") if is_root else me  # nobody may read mail as root
    folder.chmod(0o755)
    server_context(folder)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "users").write_text("".join(f"{user}:{PASSWORD}\n" for user in users))
    (folder / "users").chmod(0o644)
    (folder / "conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            mechanisms=mechanisms,
            capability=capability,
            internal="dovecot" if is_root else me.pw_name,
            group="dovecot" if is_root else my_group,
            login="dovenull" if is_root else me.pw_name,
            user=owner.pw_uid,
            user_group=owner.pw_gid,
        )
    )


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    log = folder / "log"
    raise AssertionError(log.read_text() if log.exists() else "Dovecot does not start.")
