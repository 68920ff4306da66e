"""Where mail goes: the values that resolving a destination gives, and that pools of connections work with.

A *site* is a set of mail servers that take the mail of one domain or of many: the sorted names of its MX records
(RFC 5321 §5.1), or the hops of a relay. A *group* gathers the sites of one provider; limits are per group and route.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from delivery.smtp import Reply, unverified_context
from mailsales.routes import Login, TLSMode


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """How a session with one host is encrypted, and which policy says so (RFC 8460 §4.3: sts, tlsa, no-policy-found).

    `check` looks at the encrypted session before anything is said in it, and returns what is wrong, or nothing.
    `is_binding`: a policy or the table demands TLS, so a failure never falls back to the clear.
    """

    mode: TLSMode = TLSMode.OPPORTUNISTIC
    context: ssl.SSLContext = field(default_factory=unverified_context)
    check: Callable[[ssl.SSLObject], str] | None = None
    is_binding: bool = False
    policy_type: str = "no-policy-found"
    policy_domain: str = ""  # of MTA-STS; else a report is for the recipient’s domain
    policy: tuple[str, ...] = ()
    mx_patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One address of one host of a site, ready to be dialled. `address` empty: the system resolves the host."""

    host: str
    port: int
    address: str = ""
    tls: TlsPlan = field(default_factory=TlsPlan)
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Servers that take the same mail. `hosts` stand in groups of equal preference, the best first.

    `domain` is only set where a policy of the recipient's domain governs TLS (MTA-STS): then such a domain is a site of
    its own. `is_secure`: DNSSEC proved the hosts, so that DANE applies. Equal sites share connections.
    """

    name: str
    group: str
    hosts: tuple[tuple[str, ...], ...]
    domain: str = ""
    is_secure: bool = False


class Unroutable(Exception):
    """A domain's mail goes nowhere. `reply` is what a server would have said: 5xx for good (null MX, no such domain)
    or code 0 at `connect` for the moment (the name servers do not answer)."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply
