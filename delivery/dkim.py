"""DKIM signatures (RFC 6376), RSA-2048 and Ed25519 (RFC 8463), and their verification for the sandbox.

dkimpy is the authority: our signature is byte for byte the one it would make of the same message at the same second
(`tests/delivery/test_dkim.py`). It is made here because our header and body leave `compose.py` already relaxed
(RFC 6376 §3.4.2, §3.4.4), so that signing is one hash over the body, one over the header, and `cryptography`'s RSA.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailsales.dkim_keys import ED25519, RSA

# RFC 6376 §8.15: a name signed once more than it occurs cannot be added by anybody on the way.
OVERSIGNED = (
    *(b"from", b"sender", b"reply-to", b"subject", b"date", b"message-id", b"to", b"cc", b"mime-version"),
    *(b"content-type", b"content-transfer-encoding", b"list-unsubscribe", b"list-unsubscribe-post"),
)


class Headers(NamedTuple):
    """The headers of a message as they are sent and as they are hashed (RFC 6376 §3.4.2). Both end in CRLF."""

    names: tuple[bytes, ...]
    lines: bytes
    relaxed: bytes


class HeaderForm:
    """Names and values of headers in their order, as on the wire, folded or not; None stands for a value to fill in."""

    def __init__(self, headers: Sequence[tuple[bytes, bytes | None]]) -> None:
        kept = [(name, b"%b" if value is None else value.replace(b"%", b"%%")) for name, value in headers]
        self._names = tuple(name for name, _value in kept)
        self._lines = b"".join(name + b": " + value + b"\r\n" for name, value in kept)
        self._relaxed = b"".join(name.lower() + b":" + _relaxed(value) + b"\r\n" for name, value in kept)

    def fill(self, *values: bytes) -> Headers:
        return Headers(self._names, self._lines % values, self._relaxed % tuple([_relaxed(each) for each in values]))


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of a domain, as it stands in the database. `algorithm` is RSA or ED25519, `pem` the private half."""

    domain: str
    selector: str
    algorithm: str
    pem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one DKIM-Signature. `fault` is empty or says why it does not hold, in dkimpy's words."""

    domain: str
    selector: str
    algorithm: str
    is_valid: bool
    fault: str = ""


class _Frame(NamedTuple):
    """All of a DKIM-Signature but its time, body hash and signature: as hashed (RFC 6376 §3.7) and, folded, as sent."""

    hashed: tuple[bytes, bytes]
    sent: tuple[bytes, bytes]
    make: Callable[[bytes], bytes]


class Signers:
    """The keys that sign a message, loaded once. One object serves all messages of a domain."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._keys = [(signer, _signature_maker(signer.algorithm, signer.pem)) for signer in signers]
        self._frames: dict[tuple[bytes, ...], list[_Frame]] = {}

    def sign(self, headers: Headers, body: bytes, t: int) -> bytes:
        """Return the whole message: signatures, headers, blank line, body.

        The body must be relaxed already: no blank at the end of a line, never two in a row, one CRLF at its end. `t` is
        the time of signing in Unix seconds.
        """
        frames = self._frames.get(headers.names) or self._frames_for(headers.names)
        body_hash = b2a_base64(sha256(body).digest(), newline=False)
        time = b"%d" % t
        lines = []
        for hashed, sent, make in frames:
            signature = b2a_base64(make(headers.relaxed + time.join(hashed) + body_hash + b"; b="), newline=False)
            folded = b"\r\n ".join([signature[at : at + 72] for at in range(0, len(signature), 72)])
            lines.append(time.join(sent) + body_hash + b";\r\n b=" + folded + b"\r\n")
        return b"".join([*lines, headers.lines, b"\r\n", body])

    def _frames_for(self, names: tuple[bytes, ...]) -> list[_Frame]:
        frames = self._frames[names] = [_frame(signer, names, make) for signer, make in self._keys]
        return frames


def signed_names(names: Sequence[bytes]) -> list[bytes]:
    """Return what goes into `h=` for headers with these names: all of them, and what nobody may add."""
    return [*(name.lower() for name in names), *OVERSIGNED]


def dns_record(domain: str, selector: str, algorithm: str, public_key: str) -> tuple[str, str]:
    """Return the name and the text of the TXT record that publishes a key (RFC 6376 §3.6.1)."""
    return f"{selector}._domainkey.{domain}", f"v=DKIM1; k={algorithm.partition('-')[0]}; p={public_key}"


def verify(raw: bytes, records: Mapping[tuple[str, str], str]) -> list[Verdict]:
    """Return dkimpy's verdict on each signature of a message. `records` holds TXT records by selector and domain."""
    try:
        message = _Verifier(raw)
    except dkim.DKIMException as error:
        return [Verdict("", "", "", False, str(error))]
    count = sum(name.lower() == b"dkim-signature" for name, _value in message.headers)
    return [_verdict(message, index, records) for index in range(count)]


# -- inside ------------------------------------------------------------------------------------


def _frame(signer: Signer, names: Sequence[bytes], make: Callable[[bytes], bytes]) -> _Frame:
    domain, selector = signer.domain.encode("ascii"), signer.selector.encode("ascii")
    start = b" v=1; a=" + signer.algorithm.encode() + b"; c=relaxed/relaxed; d=" + domain + b";"
    rest = b" i=@" + domain + b"; q=dns/txt; s=" + selector + b"; t="
    listed = b" h=" + b" : ".join(signed_names(names)) + b";"
    return _Frame(
        hashed=(b"dkim-signature:" + start.lstrip() + rest, b";" + listed + b" bh="),
        sent=(b"DKIM-Signature:" + start + b"\r\n" + rest, b";\r\n" + _folded(listed) + b"\r\n bh="),
        make=make,
    )


def _relaxed(value: bytes) -> bytes:
    return b" ".join(value.split())


def _folded(text: bytes) -> bytes:
    """Return the text with lines of at most 76 bytes, broken before blanks."""
    lines = [b""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) > 74:
            lines.append(b"")
        lines[-1] += b" " + word
    return b"\r\n".join(lines)


@lru_cache(maxsize=256)
def _signature_maker(algorithm: str, pem: str) -> Callable[[bytes], bytes]:
    """Return a function from the bytes of a header to their signature.

    The key is one that we made and kept sealed: to prove its numbers prime again would take 35 ms.
    """
    key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if algorithm == ED25519 and isinstance(key, Ed25519PrivateKey):
        return lambda header: key.sign(sha256(header).digest())  # RFC 8463 §3: PureEdDSA over the digest
    if algorithm == RSA and isinstance(key, RSAPrivateKey):
        padding, hashed = PKCS1v15(), SHA256()
        return lambda header: key.sign(header, padding, hashed)
    raise ValueError(f"The key is not of the algorithm {algorithm}. Make a new one for this selector.")


class _Edwards:
    """An Ed25519 public key with the one method of PyNaCl's that dkimpy calls."""

    def __init__(self, public: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public)
        self.is_refuted = False

    def verify(self, digest: bytes, signature: bytes) -> None:
        try:
            self._key.verify(signature, digest)
        except InvalidSignature:  # dkimpy knows only PyNaCl's exception
            self.is_refuted = True


class _Verifier(dkim.DKIM):  # type: ignore[misc]
    """dkimpy's verifier, whose Ed25519 keys are `cryptography`'s."""

    def verify_sig(self, sig: Any, include_headers: Any, sig_header: Any, dnsfunc: Any) -> bool:
        record = dnsfunc(sig[b"s"] + b"._domainkey." + sig[b"d"] + b".") or b""
        tags = dkim.util.parse_tag_value(record) if record else {}
        if tags.get(b"k") != b"ed25519":
            return bool(super().verify_sig(sig, include_headers, sig_header, dnsfunc))
        self.pk, self.keysize, self.ktag, self.seqtlsrpt = _Edwards(b64decode(tags[b"p"])), 256, b"ed25519", False
        return bool(self.verify_sig_process(sig, include_headers, sig_header, dnsfunc)) and not self.pk.is_refuted


def _verdict(message: _Verifier, index: int, records: Mapping[tuple[str, str], str]) -> Verdict:
    def record(name: bytes, timeout: int = 5) -> bytes:
        selector, _, domain = name.decode("ascii", "replace").rstrip(".").partition("._domainkey.")
        return records.get((selector, domain), "").encode()

    message.signature_fields = {}
    try:
        is_valid = bool(message.verify(index, dnsfunc=record))
        fault = "" if is_valid else "The signature does not match the message, or there is no key for it."
    except (dkim.DKIMException, dkim.InvalidTagValueList, ValueError, KeyError) as error:
        is_valid, fault = False, str(error)
    fields = message.signature_fields
    domain, selector, algorithm = (fields.get(tag, b"").decode("ascii", "replace") for tag in (b"d", b"s", b"a"))
    return Verdict(domain, selector, algorithm, is_valid, fault)
