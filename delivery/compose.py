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

from campaigns import merge
from delivery import tracking
from delivery.dkim import Headers, Signers
from delivery.mime import Part, crlf, mailbox, one_line, unstructured
from mailsales import tokens
from mailsales.addresses import on_the_wire
from mailsales.reasons import Reason

MARK = b"MSR1"  # the form of stored renditions; a new form gets a new mark and a reader for the old one
TEST = "test"
FROM, SUBJECT, LIST_ID, FEEDBACK_ID = b"From", b"Subject", b"List-Id", b"Feedback-ID"
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

    `domain` signs and stands in Message-ID, `bounce_domain` takes envelope senders. `kind` is "campaign", or "test" for a
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
        self._domain, self._bounce_domain = _a_label(rendition.domain), _a_label(rendition.bounce_domain)
        self._links = _TestLinks(rendition, tracking_url) if rendition.kind == TEST else _Links(rendition, tracking_url)
        html = rendition.html.replace(tracking.PIXEL, "") if rendition.kind == TEST else rendition.html
        self._slots = _Slots(self._links.names)
        self._text = Part(self._slots.pieces(merge.compile(rendition.text)))
        self._html = Part(self._slots.pieces(merge.compile(html, html=True)))
        self._subject = merge.compile(rendition.subject)
        self._constant = self._constant_headers()

    def compose(self, recipient: Recipient, date: bytes, t: int) -> bytes:
        """Return the signed message. Raise Unsendable."""
        headers, body = self.build(recipient, date)
        return self._signers.sign(headers, body, t)

    def build(self, recipient: Recipient, date: bytes) -> tuple[Headers, bytes]:
        """Return the headers and the body, unsigned. Raise Unsendable."""
        links = self._links.of(recipient.message_id)
        known = _known(recipient)
        try:
            values = self._slots.fill(links, known)
            subject = self._constant[SUBJECT] or unstructured("Subject", self._subject.render(known))
        except merge.MergeError as error:
            raise Unsendable(Reason.CONTENT, str(error)) from error
        out = [TEXT_PART]
        self._text.encode(values, out)
        out.append(HTML_PART)
        self._html.encode(values, out)
        out.append(END)
        return self._headers(recipient, date, subject, links[0]), b"".join(out)

    def web_page(self, recipient: Recipient) -> str:
        """Return the HTML part as it was sent, for `view_url`. Raise MergeError."""
        values = self._slots.fill(self._links.of(recipient.message_id), _known(recipient))
        return self._html.plain(values).decode()

    def envelope_sender(self, message_id: int) -> str:
        """Return MAIL FROM: it names the message to whoever returns it (VERP), whatever becomes of upper and lower case."""
        return f"b+{self._links.bounce_token(message_id)}@{self._bounce_domain}"

    def _constant_headers(self) -> dict[bytes, bytes]:
        rendition = self._rendition
        feedback = f"{rendition.campaign_id}:{rendition.account_id}:{rendition.kind}:{rendition.sender_id}"
        is_constant = all(isinstance(piece, str) for piece in self._subject.pieces)
        return {
            FROM: mailbox("From", rendition.sender_name, _wire(rendition.sender_address)),
            SUBJECT: unstructured("Subject", self._subject.render({})) if is_constant else b"",
            LIST_ID: f"<list-{rendition.list_id}.{self._domain}>".encode(),  # RFC 2919 §3
            FEEDBACK_ID: feedback.encode(),
        }

    def _headers(self, recipient: Recipient, date: bytes, subject: bytes, unsubscribe: bytes) -> Headers:
        """Return the headers in their order. A Message-ID is the same on every try, so that receivers drop twins."""
        constant, token = self._constant, self._links.bounce_token(recipient.message_id)
        by_mail = self._links.unsubscribe_address(recipient.message_id, self._bounce_domain)
        return [
            (FROM, constant[FROM]),
            (b"To", _wire(recipient.address).encode()),
            (SUBJECT, subject),
            (b"Date", date),
            (b"Message-ID", f"<{token}@{self._domain}>".encode()),
            (b"MIME-Version", b"1.0"),
            (b"Content-Type", CONTENT_TYPE),
            (b"List-Unsubscribe", b"<" + unsubscribe + b">" + by_mail),  # RFC 8058 §3.1: signed, one HTTPS link
            (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"),
            (LIST_ID, constant[LIST_ID]),
            (FEEDBACK_ID, constant[FEEDBACK_ID]),
        ]


# -- inside ------------------------------------------------------------------------------------


class _Links:
    """The addresses that are made for one message: to unsubscribe, to see it in a browser, the pixel, the links."""

    def __init__(self, rendition: Rendition, tracking_url: str) -> None:
        self.names = ["unsubscribe_url", "view_url", tracking.OPEN_FIELD]
        self.names += [tracking.LINK_FIELD % link.number for link in rendition.links]
        self._account_id = rendition.account_id
        self._kinds = [
            ((tracking_url + path).encode(), tokens.Stamp(kind))
            for path, kind in zip(tracking.PATHS, (tokens.UNSUBSCRIBE, tokens.VIEW, tokens.OPEN), strict=True)
        ]
        self._prefix, self._stamp = (tracking_url + tracking.LINK_PATH).encode(), tokens.Stamp(tokens.LINK)
        nobody = tokens.contents(0, 0)
        self._numbers = [tokens.contents(0, 0, link.number)[len(nobody) :] for link in rendition.links]
        self._last_bounce = 0, ""  # a message asks twice: for its Message-ID and its envelope

    def of(self, message_id: int) -> list[bytes]:
        """Return the addresses in the order of `names`."""
        said = tokens.contents(self._account_id, message_id)
        prefix, stamp = self._prefix, self._stamp
        return [
            *[before + kind(said) for before, kind in self._kinds],
            *[prefix + stamp(said + number) for number in self._numbers],
        ]

    def bounce_token(self, message_id: int) -> str:
        last = self._last_bounce
        if last[0] != message_id:
            last = self._last_bounce = message_id, tokens.bounce_token(self._account_id, message_id)
        return last[1]

    def unsubscribe_address(self, message_id: int, domain: str) -> bytes:
        token = tokens.unsubscribe_address_token(self._account_id, message_id)
        return f",\r\n <mailto:u+{token}@{domain}?subject=unsubscribe>".encode()


class _TestLinks(_Links):
    """The same for a copy to the writers: links lead straight to their pages, and unsubscribing is only shown."""

    def __init__(self, rendition: Rendition, tracking_url: str) -> None:
        super().__init__(rendition, tracking_url)
        shown = [before + TEST.encode() for before, _stamp in self._kinds]
        self._all = [*shown, *[link.url.encode() for link in rendition.links]]

    def of(self, message_id: int) -> list[bytes]:
        return self._all

    def bounce_token(self, message_id: int) -> str:
        return tokens.test_token(self._account_id, message_id)

    def unsubscribe_address(self, message_id: int, domain: str) -> bytes:
        return b""


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
