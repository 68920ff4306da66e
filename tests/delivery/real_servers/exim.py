"""Exim: it takes any mail from loopback, gives up at once but for two addresses, and warns of those after a second.

Hosts are one to it whatever their port, so each mail has a connection of its own: what waits for one must not leave for
another.
"""

from __future__ import annotations

from tests.delivery.real_servers.packages import unpacked
from tests.delivery.real_servers.running import ENVIRONMENT, Place

CONFIGURATION = """\
exim_path = {program}
spool_directory = {home}/spool
log_file_path = {home}/log-%s
primary_hostname = post.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
disable_ipv6
deliver_drop_privilege
keep_environment = {environment}
acl_smtp_rcpt = accept
acl_smtp_data = accept
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts =
delay_warning = 1s

begin routers

known:
  driver = manualroute
  route_list = {bounces} 127.0.0.1::{bounces_port} ; \\
    refusing.example 127.0.0.1::{refusing_port} ; away.example 127.0.0.1::1
  self = send
  transport = smtp
mailboxes:
  driver = accept
  domains = post.example
  local_parts = hanako : full
  transport = mailbox
world:
  driver = dnslookup
  domains = ! post.example
  transport = smtp

begin transports

smtp:
  driver = smtp
  connection_max_messages = 1
mailbox:
  driver = appendfile
  file = {home}/mailboxes/$local_part_data
  quota = 60000
  quota_warn_threshold = 0
  user = {uid}
  group = {uid}

begin retry

later@refusing.example * F,4s,1s
away.example * F,4s,1s
"""


def exim(place: Place) -> list[str]:
    """Write the configuration, and return the command line of its daemon."""
    program = unpacked() / "usr/sbin/exim4"
    words = {**vars(place), "uid": place.uid, "program": program, "environment": " : ".join(ENVIRONMENT)}
    configuration = place.home / "exim.conf"
    configuration.write_text(CONFIGURATION.format(**words))
    place.home.joinpath("mailboxes").mkdir()
    place.home.joinpath("mailboxes/full").write_bytes(b"x" * 59_990)
    return [str(program), "-C", str(configuration), "-bdf", "-q1s", "-oP", str(place.home / "pid")]
