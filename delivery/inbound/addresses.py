"""Which addresses exist here, and what the token in one says (RFC 5321 §2.3.11: the local part is ours alone to read).

`b+…` takes reports about a message (VERP), `u+…` unsubscribes by mail, `n+…` takes reports about a mail of the system;
`fbl` takes complaints (RFC 9477), `postmaster` and `abuse` are there for people (RFC 2142). A mailbox that is read over
IMAP has the same behind its own plus sign: `returns+b-…@example.jp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailsales.tokens import (
    BadToken,
    Token,
    read_bounce_token,
    read_notice_token,
    read_test_token,
    read_unsubscribe_address_token,
)

LABEL = "bounce."  # `Domain.bounce_name`


class Box(StrEnum):
    """What an address is for, or in the second part what its token says."""

    BOUNCE = "b"
    UNSUBSCRIBE = "u"
    NOTICE = "n"
    TEST = "t"  # written b+, with the token of a test send
    FEEDBACK = "fbl"
    POSTMASTER = "postmaster"
    ABUSE = "abuse"


READERS = {
    Box.BOUNCE: [(Box.BOUNCE, read_bounce_token), (Box.TEST, read_test_token)],
    Box.UNSUBSCRIBE: [(Box.UNSUBSCRIBE, read_unsubscribe_address_token)],
    Box.NOTICE: [(Box.NOTICE, read_notice_token)],
}
ROLES = frozenset({Box.FEEDBACK, Box.POSTMASTER, Box.ABUSE})


@dataclass(frozen=True, slots=True)
class Address:
    """An address of ours. `token` is None where there is none by its nature, or where it `is_forged` or damaged."""

    box: Box
    token: Token | None = None
    is_forged: bool = False


def read_address(address: str) -> Address | None:
    """Return what the part before the @ says, whatever stands behind it; None where that is no address of ours."""
    local = _local(address)
    if local in ROLES:
        return Address(Box(local))
    box, plus, text = local.partition("+")
    return _with_token(Box(box), text) if plus and box in READERS else None


def read_mailbox_address(address: str) -> Address | None:
    """Return what stands behind the plus sign of a mailbox's own address; None where no token of ours does."""
    _name, plus, rest = _local(address).rpartition("+")
    box, hyphen, text = rest.partition("-")
    return _with_token(Box(box), text) if plus and hyphen and box in READERS else None


def read_any_token(text: str) -> Address | None:
    """Return what a text that looks like a token says, of whichever kind it is; None if it is none."""
    found = (_with_token(box, text) for box in READERS)
    return next((address for address in found if address.token), None)


def own_domain(domain: str) -> str:
    """Return the name of the `Domain` whose returned mail goes to this one, or nothing."""
    name = domain.rstrip(".").lower()
    return name.removeprefix(LABEL) if name.startswith(LABEL) else ""


# -- inside ------------------------------------------------------------------------------------


def _local(address: str) -> str:
    return (address.rpartition("@")[0] if "@" in address else address).strip('"').lower()


def _with_token(box: Box, text: str) -> Address:
    for kind, read in READERS[box]:
        try:
            return Address(kind, read(text))
        except BadToken:
            continue
    return Address(box, is_forged=True)
