"""Postfix: it takes any mail from loopback, tries for five seconds, and warns after one."""

from __future__ import annotations

from tests.delivery.real_servers.packages import unpacked
from tests.delivery.real_servers.running import ENVIRONMENT, Place

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
maillog_file = {home}/log
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG {environment}
myhostname = post.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
virtual_mailbox_domains = post.example
virtual_mailbox_base = {home}/mailboxes
virtual_mailbox_maps = inline:{{ {{ hanako@post.example = hanako }}, {{ full@post.example = full }} }}
virtual_mailbox_limit = 60000
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
message_size_limit = 50000
transport_maps = inline:{{ {{ {bounces} = smtp:[127.0.0.1]:{bounces_port} }},
  {{ refusing.example = smtp:[127.0.0.1]:{refusing_port} }}, {{ away.example = smtp:[127.0.0.1]:1 }} }}
maximal_queue_lifetime = 5s
bounce_queue_lifetime = 5s
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
QUEUES = [
    "incoming",
    "active",
    "deferred",
    "bounce",
    "defer",
    "flush",
    "saved",
    "trace",
    "corrupt",
    "hold",
    "pid",
    "private",
    "public",
    "maildrop",
]


def postfix(place: Place) -> list[str]:
    """Write the configuration, and return the command line of its master process."""
    words = {**vars(place), "uid": place.uid, "root": unpacked(), "environment": " ".join(ENVIRONMENT)}
    place.home.joinpath("main.cf").write_text(MAIN.format(**words))
    place.home.joinpath("master.cf").write_text(MASTER.format(**words))
    for name in ("data", "mailboxes", *(f"queue/{queue}" for queue in QUEUES)):
        place.home.joinpath(name).mkdir(0o700, parents=True)
    place.home.joinpath("mailboxes/full").write_bytes(b"x" * 59_900)
    master = unpacked() / "usr/lib/postfix/sbin/master"
    return ["env", "UID_WRAPPER_ROOT=1", str(master), "-c", str(place.home), "-d"]
