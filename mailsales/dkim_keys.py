"""Keys for DKIM, new or brought along (RFC 6376 §3.6.1: RSA of 2,048 bits; RFC 8463: Ed25519)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

RSA, ED25519 = "rsa-sha256", "ed25519-sha256"


def make_key(algorithm: str) -> tuple[str, str]:
    """Return a new key: the private half as PEM, the public half as it stands in DNS."""
    key = Ed25519PrivateKey.generate() if algorithm == ED25519 else generate_private_key(65537, 2048)
    return _pem(key), _public(key)


@dataclass(frozen=True)
class ReadKey:
    """A key that somebody brought. `bits` is 0 for Ed25519, whose keys are all of one size."""

    algorithm: str
    private: str
    public: str
    bits: int


class BadKey(ValueError):
    """The text is no private key that can sign mail; `code` says why: not_a_key, encrypted, public or other_kind."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_key(pem: str) -> ReadKey:
    """Return the private key of a PEM text. Raise BadKey."""
    if "PUBLIC KEY" in pem:
        raise BadKey("public")
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except TypeError as error:  # it asks for a password
        raise BadKey("encrypted") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not_a_key") from error
    if isinstance(key, Ed25519PrivateKey):
        return ReadKey(ED25519, _pem(key), _public(key), 0)
    if isinstance(key, RSAPrivateKey):
        return ReadKey(RSA, _pem(key), _public(key), key.key_size)
    raise BadKey("other_kind")


def _public(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """Return the public half as it stands in DNS."""
    if isinstance(key, Ed25519PrivateKey):
        return b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
