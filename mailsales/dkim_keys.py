"""New keys for DKIM (RFC 6376 §3.6.1: RSA of 2,048 bits; RFC 8463: Ed25519)."""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

RSA, ED25519 = "rsa-sha256", "ed25519-sha256"


def make_key(algorithm: str) -> tuple[str, str]:
    """Return a new key: the private half as PEM, the public half as it stands in DNS."""
    if algorithm == ED25519:
        edwards = Ed25519PrivateKey.generate()
        return _pem(edwards), b64encode(edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    rsa = generate_private_key(65537, 2048)
    public = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _pem(rsa), b64encode(public).decode()


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
