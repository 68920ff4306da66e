"""The certificate of our own SMTP servers, for STARTTLS (RFC 3207): the given one, else one signed by itself."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils.timezone import now

LIFE = timedelta(days=3650)
logger = logging.getLogger(__name__)


def server_context(folder: Path, host: str = "localhost") -> ssl.SSLContext:
    """Return the TLS context of a server with a certificate of its own."""
    return context_of(own_certificate(folder, host))


def own_certificate(folder: Path, host: str = "localhost") -> Path:
    """Return the file of the certificate that signs itself; it is made under the folder on first use."""
    file = folder / "smtp.pem"
    if not file.exists():
        _write(file, _new_certificate(host))
    return file


def context_of(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return the TLS context of a server with this certificate. Raise OSError (ssl.SSLError is one)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


async def renew(context: ssl.SSLContext, certificate: Path, key: Path | None = None, every: float = 3_600.0) -> None:
    """Read the files again every so many seconds, for ever: certificates live for weeks, and servers for months."""
    while True:
        await asyncio.sleep(every)
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:
            logger.warning("The certificate %s cannot be read, so the former one stays in use: %s", certificate, error)


def _new_certificate(host: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _write(file: Path, content: bytes) -> None:
    """Put the file in place in one step: two servers may start together. Only its owner may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, delete=False) as draft:
        draft.write(content)
    os.replace(draft.name, file)
