"""Find ports on this machine, and see whether somebody answers on one."""

from __future__ import annotations

import http.client
import socket

TRIES = 100


class PortTaken(Exception):
    """The port that a setting names belongs to somebody else."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether nobody listens there, nor on ::1, which `localhost` may mean as well."""
    places = [(socket.AF_INET, host)] + ([(socket.AF_INET6, "::1")] if socket.has_ipv6 else [])
    return all(can_bind(family, address, port) for family, address in places)


def can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            # Without IPv6 there is no ::1 to bind, and so nobody on it either.
            return family == socket.AF_INET6 and not answers(port, address)
    return True


def choose(name: str, default: int, *, given: str, host: str = "127.0.0.1", taken: frozenset[int] = frozenset()) -> int:
    """Return the port that the setting gives, which must be free, else the default or the next free one after it."""
    if given:
        if not is_free(int(given), host):
            raise PortTaken(f"Port {given} is already in use. Set {name} to another, or end the program that has it.")
        return int(given)
    for port in range(default, default + TRIES):
        if port not in taken and is_free(port, host):
            return port
    raise PortTaken(f"Ports {default} to {default + TRIES - 1} are all in use. Set {name} to a free one.")


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def serves(port: int) -> bool:
    """Return whether the web process answers a request, whatever it says."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/", headers={"Host": f"localhost:{port}"})
        return line.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
