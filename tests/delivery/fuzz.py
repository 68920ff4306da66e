"""Mails and SMTP conversations that nobody should send, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from delivery.sandbox.reports import abuse_report, delivery_report

ADDRESS = "hanako.sato@example.jp"
CHARSETS = (b"utf-8", b"iso-2022-jp", b"shift_jis", b"utf-7", b"x-unknown", b"utf-16", b"\xff", b"idna", b"zlib", b"")
ENCODINGS = (b"base64", b"quoted-printable", b"8bit", b"uuencode", b"x", b"")
TYPES = (
    b"text/plain",
    b"multipart/report",
    b"message/rfc822",
    b"message/delivery-status",
    b"multipart/mixed",
    b"text/html",
    b"/",
)
PIECES: tuple[bytes, ...] = (
    b"\r\n",
    b"\r",
    b"\n",
    b"\x00",
    b".\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"--",
    b"--=_part",
    b"=?iso-2022-jp?B?",
    b"?=",
    b"=",
    b"\x1b$B",
)
PIECES += (
    b"Content-Type: ",
    b"boundary=",
    b"Action: failed\r\n",
    b"Status: 5.1.1\r\n",
    b"Final-Recipient: rfc822;",
    b"550 5.1.1 ",
    b"<>",
    b"\xff" * 9,
)
WORDS: tuple[str, ...] = (
    "EHLO x",
    "HELO",
    "MAIL FROM:<>",
    "MAIL FROM:<\u3042@x>",
    "RCPT TO:<{to}>",
    "RCPT TO:<fbl@bounce.aoba.example.jp>",
    "RCPT TO:<",
    "DATA",
)
WORDS += (
    "DATA x",
    "RSET",
    "NOOP",
    "QUIT",
    "VRFY a",
    "EXPN a",
    "HELP",
    "AUTH PLAIN",
    "BDAT 3 LAST",
    "STARTTLS x",
    "FROBNICATE",
    "",
    " ",
    "MAIL FROM:<a@[>",
)
WORDS += (
    "RCPT TO:<@a,@b:c@d>",
    'RCPT TO:<"\\"@x>',
    "MAIL FROM:<> SIZE=99999999999999999999",
    "MAIL FROM:<> BODY=9",
    "mail from:()<a@b>",
)


def mails(seed: int, count: int, to: str) -> Iterator[bytes]:
    """Make mails; `to` is an address with a valid token, which many of them hold somewhere."""
    rng = random.Random(seed)
    real = [
        delivery_report(to, ADDRESS, f"Return-Path: <{to}>\r\nTo: {ADDRESS}\r\n\r\n".encode()),
        abuse_report(to, ADDRESS, f"Return-Path: <{to}>\r\nSubject: hello\r\n\r\nbody\r\n".encode()),
        f"From: {ADDRESS}\r\nTo: <{to}>\r\nSubject: hello\r\n\r\nbody\r\n".encode(),
    ]
    shapes: list[Callable[[random.Random, list[bytes]], bytes]] = [
        _random, _mutated, _mutated, _mutated, _spliced, _line_ends, _long_line, _deep, _huge_header, _charset, _truncated, _dots, _many_parts
    ]  # fmt: skip
    for _number in range(count):
        yield rng.choice(shapes)(rng, real)


def conversations(seed: int, count: int, to: str) -> Iterator[bytes]:
    """Make what a client pours into a connection."""
    rng = random.Random(seed)
    for _number in range(count):
        lines = [
            rng.choice(WORDS).format(to=to).encode("utf-8", "surrogatepass") for _each in range(rng.randint(1, 25))
        ]
        said = rng.choice((b"\r\n", b"\r\n", b"\n")).join([b"EHLO x", *lines, b""])
        if rng.random() < 0.5:
            said = _damaged(rng, said)
        yield said


# -- shapes ------------------------------------------------------------------------------------


def _random(rng: random.Random, _real: list[bytes]) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 2, 50, 1_000, 20_000)))


def _mutated(rng: random.Random, real: list[bytes]) -> bytes:
    return _damaged(rng, rng.choice(real))


def _damaged(rng: random.Random, said: bytes) -> bytes:
    """Replace, remove and double some pieces."""
    mail = bytearray(said)
    for _each in range(rng.randint(1, 12)):
        place, length = rng.randint(0, len(mail)), rng.randint(0, 60)
        mail[place : place + rng.choice((0, 0, length))] = rng.choice(
            (rng.randbytes(rng.randint(0, 8)), rng.choice(PIECES), bytes(mail[place : place + length]), b"")
        )
    return bytes(mail)


def _spliced(rng: random.Random, real: list[bytes]) -> bytes:
    first, second = rng.choice(real), rng.choice(real)
    return first[: rng.randint(0, len(first))] + second[rng.randint(0, len(second)) :]


def _line_ends(rng: random.Random, real: list[bytes]) -> bytes:
    return rng.choice(real).replace(b"\r\n", rng.choice((b"\r", b"\n", b"\n\r", b"\r\r\n", b"\x85")))


def _long_line(rng: random.Random, real: list[bytes]) -> bytes:
    return rng.choice(real) + rng.choice((b"x", b" ", b"=", b"<", b"--", b"a@")) * rng.choice((998, 1_001, 70_000))


def _deep(rng: random.Random, real: list[bytes]) -> bytes:
    depth = rng.choice((5, 60, 600))
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level) for level in range(depth)
    )
    return rng.choice((opening, b"Content-Type: message/rfc822\r\n\r\n" * depth)) + rng.choice(real)


def _huge_header(rng: random.Random, real: list[bytes]) -> bytes:
    field = rng.choice((b"Subject: ", b"X-" + b"y" * 300 + b": ", b"Content-Type: ", b"To: ", b"", b": "))
    value = rng.choice((b"a@b,", b"=?utf-8?Q?=41?= ", b"(", b"\r\n ", b'"', b"%d;" % rng.randint(0, 99)))
    return (field + value * rng.choice((10, 3_000)) + b"\r\n") * rng.choice((1, 20)) + rng.choice(real)


def _charset(rng: random.Random, real: list[bytes]) -> bytes:
    kind, charset, encoding = rng.choice(TYPES), rng.choice(CHARSETS), rng.choice(ENCODINGS)
    header = b"Content-Type: %s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n" % (kind, charset, encoding)
    return header + rng.choice((rng.randbytes(200), rng.choice(real), b"\x1b$B%F%9%H\x1b(B", b"=ZZ=" * 50))


def _truncated(rng: random.Random, real: list[bytes]) -> bytes:
    mail = rng.choice(real)
    return mail[: rng.randint(0, len(mail))]


def _dots(rng: random.Random, real: list[bytes]) -> bytes:
    return b"".join(
        rng.choice((b".", b"..", b".\r", b".\n", b"\r\n", b"\r\n..", b"x", b"\n.\r\n")) for _each in range(60)
    )


def _many_parts(rng: random.Random, real: list[bytes]) -> bytes:
    part = b"--b\r\nContent-Type: %s\r\n\r\nFinal-Recipient: rfc822;%s\r\nAction: failed\r\n\r\n"
    head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    return head + part % (rng.choice(TYPES), ADDRESS.encode()) * rng.choice((2, 400))
