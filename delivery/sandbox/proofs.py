"""What the sandbox checks of a mail, as a strict receiver would."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from django.utils.translation import gettext as _

from accounts.models import DkimKey
from delivery import dkim
from delivery.models import SandboxMail
from delivery.sandbox.reading import headers_of

LONGEST_LINE = 998  # RFC 5322 §2.1.1
ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")  # RFC 8058 §4: both covered by the signature


@dataclass(frozen=True)
class Proof:
    is_good: bool
    title: str
    text: str

    @property
    def icon(self) -> str:
        return "circle-check" if self.is_good else "triangle-alert"

    @property
    def icon_class(self) -> str:
        return f"icon icon--{'good' if self.is_good else 'warn'}"


def proofs_of(mail: SandboxMail, message: EmailMessage) -> list[Proof]:
    raw = bytes(mail.raw)
    if not raw:  # answered before its content came
        return [_encryption(mail)]
    return [_signature(mail, raw), _encryption(mail), _one_click(message), _form(raw)]


def _signature(mail: SandboxMail, raw: bytes) -> Proof:
    keys = DkimKey.objects.filter(account=mail.account_id).select_related("domain")
    verdicts = dkim.verify(raw, {(key.selector, key.domain.name): key.record for key in keys})
    if not verdicts:
        return Proof(False, _("There is no DKIM signature"), _("Receivers cannot tell that it is from you."))
    faults = [verdict.fault for verdict in verdicts if not verdict.is_valid]
    if faults:
        return Proof(False, _("The DKIM signature is wrong"), "; ".join(faults))
    names = ", ".join(f"{verdict.selector}._domainkey.{verdict.domain} ({verdict.algorithm})" for verdict in verdicts)
    return Proof(
        True, _("The DKIM signature is right"), _("Signature verified with dkimpy: yes (%(keys)s).") % {"keys": names}
    )


def _encryption(mail: SandboxMail) -> Proof:
    if mail.tls:
        return Proof(True, _("Encryption"), _("Handed over with STARTTLS, %(version)s.") % {"version": mail.tls})
    return Proof(False, _("Encryption"), _("Handed over in clear text."))


def _one_click(message: EmailMessage) -> Proof:
    signed = next((value for name, value in headers_of(message) if name.lower() == "dkim-signature"), "")
    tags = dict(tag.split("=", 1) for tag in "".join(signed.lower().split()).split(";") if "=" in tag)
    listed = tags.get("h", "").split(":")
    is_there = all(name in message for name in ONE_CLICK)
    if is_there and all(name in listed for name in ONE_CLICK):
        return Proof(True, _("One-click unsubscribe"), _("Both headers of RFC 8058 are there and signed."))
    return Proof(False, _("One-click unsubscribe"), _("The headers of RFC 8058 are missing or not signed."))


def _form(raw: bytes) -> Proof:
    longest = max((len(line) for line in raw.split(b"\r\n")), default=0)
    if raw.isascii() and longest <= LONGEST_LINE:
        return Proof(True, _("Characters and line length"), _("7 bit, and no line is longer than 998 characters."))
    return Proof(False, _("Characters and line length"), _("Some servers would damage or refuse it."))
