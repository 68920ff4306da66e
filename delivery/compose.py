"""A frozen campaign and one recipient become the bytes of a message (RFC 5322, RFC 2045), signed.

`freeze` turns the content into a rendition, once, when the campaign starts; a `Composer` compiles it, once per process;
per recipient only merge tags and tokens are filled in, encoded, hashed and signed.

The message ends every line in CRLF and is *not* dot-stuffed, because it need not be: no line begins with a dot (base64
has none, header lines begin with a letter or a blank, boundaries with a hyphen). It ends in CRLF, so the final dot is
`.` CRLF. All of it is 7-bit.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from typing import NamedTuple

from campaigns import merge
from delivery import tracking
from delivery.dkim import HeaderForm, Headers, Signers
from delivery.mime import Part, crlf, mailbox, one_line, unstructured
from mailsales import tokens
from mailsales.addresses import on_the_wire
from mailsales.reasons import Reason

MARK = b"MSR1"  # the form of stored renditions; a new form gets a new mark and a reader for the old one
TEST = "test"
CONTENT_TYPE = b'multipart/alternative; boundary="=_part"'  # a boundary that cannot occur in base64
HEADING = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
TEXT_PART = b"--=_part\r\n" + HEADING % b"plain"
HTML_PART = b"--=_part\r\n" + HEADING % b"html"
END = b"--=_part--\r\n"


class Unsendable(ValueError):
    """There is no message for this recipient. `reason` goes into the ledger, the text into the attempt."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that a campaign says, finished by `campaigns.content.finish`, and who says it.

    `domain` signs and stands in Message-ID, `bounce_domain` takes envelope senders, unless `mailbox` does, an address
    that is read over IMAP and may take the token behind a plus sign (RFC 5233). `kind` is "campaign", or "test" for a
    copy to its writers: its links lead straight to their pages, and nothing is counted.
    """

    account_id: int
    campaign_id: int
    list_id: int
    sender_name: str
    sender_address: str
    domain: str
    bounce_domain: str
    subject: str
    html: str
    text: str
    kind: str = "campaign"
    mailbox: str = ""
    takes_plus: bool = True
    sender_id: str = "mailsales"  # of Feedback-ID: 5 to 15 characters, the same for years


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition(Content):
    """A frozen campaign. `links` are the rows that click tokens name by their number."""

    links: tuple[tracking.TrackedLink, ...] = ()

    @classmethod
    def load(cls, stored: bytes | memoryview) -> Rendition:
        """Return the rendition that `freeze` stored. Raise ValueError for another form."""
        data = bytes(stored)
        if not data.startswith(MARK):
            raise ValueError("This rendition was stored by another version. Finish its campaign with that version.")
        fields = json.loads(zlib.decompress(data[len(MARK) :]))
        links = tuple(tracking.TrackedLink(**link) for link in fields.pop("links"))
        return cls(**fields, links=links)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom one message is for. `message_id` is the ledger's, or the id of a test send; `fields` are the contact's."""

    message_id: int
    address: str
    name: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


class Mail(NamedTuple):
    """A message with its envelope, as `delivery.smtp.Transaction` takes them."""

    mail_from: bytes
    recipient: bytes
    body: bytes


def freeze(content: Content) -> bytes:
    """Return the content as it is stored with the campaign. Raise MergeError if a template in it is wrong."""
    tracked = tracking.track(content.html, content.text)
    merge.compile(content.subject)
    merge.compile(tracked.text)
    merge.compile(tracked.html, html=True)
    fields = asdict(content) | asdict(tracked)
    return MARK + zlib.compress(json.dumps(fields, ensure_ascii=False).encode())


def date_header(now: float) -> bytes:
    """Return the Date for a moment in Unix seconds; one serves a whole batch."""
    return formatdate(now).replace("-0000", "+0000").encode()


class Composer:
    """Makes the messages of one rendition. Compiled once; safe to share within a process."""

    def __init__(self, rendition: Rendition, signers: Signers, tracking_url: str) -> None:
        self._rendition, self._signers = rendition, signers
        self._domain = _a_label(rendition.domain)
        makers = _TestLinkMaker if rendition.kind == TEST else _LinkMaker
        self._returns = Returns.of(rendition)
        self._links = makers(rendition, tracking_url, self._domain, self._returns)
        html = rendition.html.replace(tracking.PIXEL, "") if rendition.kind == TEST else rendition.html
        self._slots = _Slots(self._links.names)
        self._text = Part(self._slots.pieces(merge.compile(rendition.text)))
        self._html = Part(self._slots.pieces(merge.compile(html, html=True)))
        self._subject = merge.compile(rendition.subject)
        self._changes_subject = any(not isinstance(piece, str) for piece in self._subject.pieces)
        self._headers = self._header_form()

    def compose(self, recipient: Recipient, date: bytes, t: int) -> Mail:
        """Return the signed message. Raise Unsendable."""
        links, to = self._links.of(recipient.message_id), _wire(recipient.address).encode()
        headers, body = self._build(recipient, to, links, date)
        return Mail(links.envelope_sender, to, self._signers.sign(headers, body, t))

    def build(self, recipient: Recipient, date: bytes) -> tuple[Headers, bytes]:
        """Return the headers and the body, unsigned. Raise Unsendable."""
        to = _wire(recipient.address).encode()
        return self._build(recipient, to, self._links.of(recipient.message_id), date)

    def web_page(self, recipient: Recipient) -> str:
        """Return the HTML part as it was sent, for `view_url`. Raise MergeError."""
        links = self._links.of(recipient.message_id)
        return self._html.plain(self._slots.fill(links.urls, _known(recipient))).decode()

    def _build(self, recipient: Recipient, to: bytes, links: _Links, date: bytes) -> tuple[Headers, bytes]:
        known = _known(recipient)
        try:
            values = self._slots.fill(links.urls, known)
            subject = [self._subject_for(known)] if self._changes_subject else []
        except merge.MergeError as error:
            raise Unsendable(Reason.CONTENT, str(error)) from error
        out = [TEXT_PART]
        self._text.encode(values, out)
        out.append(HTML_PART)
        self._html.encode(values, out)
        out.append(END)
        headers = self._headers.fill(to, *subject, date, links.header_id, links.unsubscribe)
        return headers, b"".join(out)

    def _subject_for(self, known: dict[str, object]) -> bytes:
        return unstructured("Subject", self._subject.render(known))

    def _header_form(self) -> HeaderForm:
        """Return the headers in their order, those of one message alone to be filled in.

        A Message-ID is the same on every try, so that receivers drop twins.
        """
        rendition = self._rendition
        feedback = f"{rendition.campaign_id}:{rendition.account_id}:{rendition.kind}:{rendition.sender_id}"
        return HeaderForm(
            [
                (b"From", mailbox("From", rendition.sender_name, _wire(rendition.sender_address))),
                (b"To", None),
                (b"Subject", None if self._changes_subject else self._subject_for({})),
                (b"Date", None),
                (b"Message-ID", None),
                (b"MIME-Version", b"1.0"),
                (b"Content-Type", CONTENT_TYPE),
                (b"List-Unsubscribe", None),
                (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"),
                (b"List-Id", f"<list-{rendition.list_id}.{self._domain}>".encode()),  # RFC 2919 §3
                (b"Feedback-ID", feedback.encode()),
                (b"CFBL-Address", f"{self._returns.feedback}; report=arf".encode()),  # RFC 9477 §5
            ]
        )


# -- inside ------------------------------------------------------------------------------------


class Returns(NamedTuple):
    """Where what comes back goes: patterns of addresses with a place for the token, and the address for complaints."""

    sender: str
    unsubscribe: str  # what stands behind mailto:
    feedback: str

    @classmethod
    def of(cls, content: Content) -> Returns:
        if not content.mailbox:
            domain = _a_label(content.bounce_domain)
            return cls(f"b+%s@{domain}", f"u+%s@{domain}?subject=unsubscribe", f"fbl@{domain}")
        address = _wire(content.mailbox)
        local, _at, domain = address.rpartition("@")
        if not content.takes_plus:
            return cls(address, f"{address}?subject=unsubscribe-%s", address)
        return cls(f"{local}+b-%s@{domain}", f"{local}+u-%s@{domain}?subject=unsubscribe", address)


class _Links(NamedTuple):
    """What is made for one message alone, whatever it says.

    `urls` are in the order of `_LinkMaker.names`, `header_id` is the Message-ID, `unsubscribe` the List-Unsubscribe (RFC
    8058 §3.1: signed, one HTTPS link). The envelope sender names the message to whoever returns it (VERP), whatever
    becomes of upper and lower case.
    """

    urls: list[bytes]
    envelope_sender: bytes
    header_id: bytes
    unsubscribe: bytes


class _LinkMaker:
    """Makes the addresses of one message: to unsubscribe, to see it in a browser, the pixel, the links, to return it to."""

    def __init__(self, rendition: Rendition, tracking_url: str, domain: str, returns: Returns) -> None:
        self.names = ["unsubscribe_url", "view_url", tracking.OPEN_FIELD]
        self.names += [tracking.LINK_FIELD % link.number for link in rendition.links]
        self._account_id, self._domain, self._returns = rendition.account_id, domain, returns
        self._prefixes = [tracking_url + path for path in tracking.PATHS]
        self._kinds = [tokens.Stamp(kind) for kind in (tokens.UNSUBSCRIBE, tokens.VIEW, tokens.OPEN)]
        self._prefix, self._link = tracking_url + tracking.LINK_PATH, tokens.Stamp(tokens.LINK)
        self._numbers = [tokens.numbered(link.number).encode() for link in rendition.links]
        self._bounce = tokens.Stamp(tokens.BOUNCE)

    def of(self, message_id: int) -> _Links:
        said = tokens.contents(self._account_id, message_id)
        signed = [kind(said) for kind in self._kinds]
        shown = [
            (before + tokens.link_text(each)).encode() for before, each in zip(self._prefixes, signed, strict=True)
        ]
        link = (self._prefix + tokens.link_text(self._link(said))).encode()
        urls = [*shown, *[link + number for number in self._numbers]]
        mail_to = self._returns.unsubscribe.replace("%s", tokens.address_text(signed[0]))
        by_mail = f",\r\n <mailto:{mail_to}>"
        return self._named(tokens.address_text(self._bounce(said)), urls, by_mail)

    def _named(self, token: str, urls: list[bytes], by_mail: str) -> _Links:
        pattern, header_id = self._returns.sender, f"<{token}@{self._domain}>"
        sender = pattern.replace("%s", token)
        return _Links(urls, sender.encode(), header_id.encode(), b"<" + urls[0] + b">" + by_mail.encode())


class _TestLinkMaker(_LinkMaker):
    """The same for a copy to the writers: links lead straight to their pages, and unsubscribing is only shown."""

    def __init__(self, rendition: Rendition, tracking_url: str, domain: str, returns: Returns) -> None:
        super().__init__(rendition, tracking_url, domain, returns)
        shown = [(before + TEST).encode() for before in self._prefixes]
        self._urls = [*shown, *[link.url.encode() for link in rendition.links]]

    def of(self, message_id: int) -> _Links:
        return self._named(tokens.test_token(self._account_id, message_id), self._urls, "")


class _Slots:
    """The values that a message needs, each filled in once however often it appears. Links come first."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._places: dict[object, int] = {name: place for place, name in enumerate(names)}
        self._makers: list[merge.Field | merge.Region] = []
        self._has_regions = False

    def pieces(self, plan: merge.Plan) -> list[bytes | int]:
        """Return the pieces of a part: what is constant, encoded, and the places of the rest."""
        return [crlf(piece) if isinstance(piece, str) else self._place(piece) for piece in plan.pieces]

    def fill(self, links: list[bytes], known: dict[str, object]) -> list[bytes]:
        """Return all values for one recipient. Raise MergeError."""
        if self._has_regions:
            known |= {name: link.decode() for name, link in zip(self._names, links, strict=True)}
        return links + [crlf(make(known)) for make in self._makers]

    def _place(self, piece: merge.Field | merge.Region) -> int:
        if isinstance(piece, merge.Region):
            self._has_regions = True
        elif piece.name in self._names:
            return self._places[piece.name]
        place = self._places.setdefault(piece, len(self._places))
        if place == len(self._names) + len(self._makers):
            self._makers.append(piece)
        return place


def _known(recipient: Recipient) -> dict[str, object]:
    """Return what merge tags know of a recipient; name and address are never another field's."""
    return {**recipient.fields, "name": recipient.name, "address": recipient.address}


def _wire(address: str) -> str:
    """Return an address fit for a header of 7 bits. Raise Unsendable."""
    try:
        wire = on_the_wire(one_line(address))
    except UnicodeError as error:
        raise Unsendable(Reason.HOST_UNKNOWN, "The domain has no form for DNS (RFC 5891).") from error
    if not wire.isascii():  # RFC 6531: only next hops with SMTPUTF8 take it
        raise Unsendable(Reason.SYNTAX, "The part before the @ holds other letters than ASCII.")
    return wire


def _a_label(domain: str) -> str:
    return on_the_wire("x@" + domain)[2:]
