"""Where mail goes next, as it is written: `sandbox`, `mx`, or the address of one relay or several.

    sandbox
    mx?source=203.0.113.5&ehlo=mail.example.jp
    smtp://user:password@relay1.example.jp:587,relay2.example.jp:587?tls=verified
    smtps://user:password@relay.example.jp

`tls` is none, opportunistic (as when it is missing), required or verified; with a user it is verified, whatever it
says, since a password goes to nobody unproven. `smtps` is TLS from the first byte (RFC 8314 §3.3). Blanks and the like
in a user or password are written as %20.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION = 587  # RFC 6409 §3.1: the port of a relay that asks who you are
OPTIONS = {"mx": {"source", "ehlo", "port"}, "smtp": {"tls", "source", "ehlo"}, "smtps": {"tls", "source", "ehlo"}}


class RouteKind(StrEnum):
    SANDBOX = "sandbox"
    RELAY = "relay"
    MX = "mx"


class TLSMode(StrEnum):
    """How much TLS matters. Whether a certificate is checked is said elsewhere."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Hop:
    """A mail server that takes the mail of a route."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """One way out. `hops` are tried in turn (none for MX, which asks DNS); `port` is that of MX hosts.

    `source_address` None: the system chooses. Equal routes share connections and limits.
    """

    kind: RouteKind
    hops: tuple[Hop, ...] = ()
    tls: TLSMode = TLSMode.OPPORTUNISTIC
    is_verified: bool = False
    login: Login | None = None
    ehlo_name: str = ""
    source_address: str | None = None
    port: int = 25

    @property
    def name(self) -> str:
        """The route as people and tables may see it: without its password."""
        hops = ",".join(map(str, self.hops)) if self.kind is RouteKind.RELAY else ""
        return " ".join(filter(None, (self.kind.value, hops, self.source_address)))

    def __str__(self) -> str:
        return self.name


def parse(text: str) -> Route:
    """Return the route that is written so. Raise ValueError, in words for whoever wrote it."""
    if text == RouteKind.SANDBOX:
        return Route(RouteKind.SANDBOX)
    scheme, has_host, rest = text.partition("://")
    if not has_host:
        scheme, _question, rest = text.partition("?")
        rest = f"?{rest}"
    if scheme not in OPTIONS or bool(has_host) != (scheme != "mx"):
        raise ValueError(f"“{_shown(text)}” is neither sandbox, nor mx, nor smtp://host:port.")
    said = _options(scheme, rest)
    source, ehlo = said.get("source"), said.get("ehlo", "")
    if source:
        ip_address(source)  # its ValueError names the text
    if scheme == "mx":
        return Route(
            RouteKind.MX, ehlo_name=ehlo, source_address=source, port=_port(said.get("port", ""), PORTS["smtp"])
        )
    login, hops = _relays(scheme, rest)
    tls = said.get("tls", "opportunistic")
    is_verified = tls == "verified" or login is not None or scheme == "smtps"
    mode = TLSMode.IMPLICIT if scheme == "smtps" else TLSMode.REQUIRED if is_verified else TLSMode(tls)
    return Route(RouteKind.RELAY, hops, mode, is_verified, login, ehlo, source)


# -- inside ------------------------------------------------------------------------------------


def _options(scheme: str, rest: str) -> dict[str, str]:
    said = parse_qs(urlsplit(f"//{rest}").query, keep_blank_values=True)
    if unknown := set(said) - OPTIONS[scheme]:
        raise ValueError(f"A route {scheme} has no option “{', '.join(sorted(unknown))}”.")
    if "tls" in said and said["tls"][-1] not in ("none", "opportunistic", "required", "verified"):
        raise ValueError(f"tls is “{said['tls'][-1]}”, not none, opportunistic, required or verified.")
    return {name: values[-1] for name, values in said.items()}


def _relays(scheme: str, rest: str) -> tuple[Login | None, tuple[Hop, ...]]:
    place = rest.partition("?")[0].rstrip("/")
    who, _at, hosts = place.rpartition("@")
    user, _colon, password = who.partition(":")
    login = Login(unquote(user), unquote(password)) if who else None
    usual = SUBMISSION if login and scheme == "smtp" else PORTS[scheme]
    return login, tuple(_hop(each.strip(), usual) for each in hosts.split(","))


def _hop(text: str, usual: int) -> Hop:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.username:
        raise ValueError(f"“{text}” is not host:port.")
    return Hop(parts.hostname, parts.port or usual)


def _port(text: str, usual: int) -> int:
    if text and not (text.isdecimal() and 0 < int(text) < 65_536):
        raise ValueError(f"“{text}” is not a port.")
    return int(text) if text else usual


def _shown(text: str) -> str:
    """Return the text without what may be a password."""
    return text.rpartition("@")[2]
