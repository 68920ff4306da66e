"""A certificate authority of the test's own, with servers' and clients' contexts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; `chain` is what its server shows beside it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        private = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        with TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.write_bytes(b"".join([private, *(one.public_bytes(PEM) for one in (self.certificate, *self.chain))]))
            context.load_cert_chain(file)
        return context


class Authority:
    def __init__(self, name: str = "Test CA") -> None:
        self.name = name

    @cached_property
    def root(self) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = _builder(self.name, self.name, key).add_extension(x509.BasicConstraints(True, None), critical=True)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return Issued(builder.sign(key, hashes.SHA256()), key)

    def issue(self, *names: str, days: int = 10, shows_root: bool = False) -> Issued:
        """Return a server's certificate; over since yesterday with `days` -1."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(names[0], self.name, key, days=days)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root.key.public_key())
        builder = builder.add_extension(alternatives, critical=False).add_extension(authority, critical=False)
        certificate = builder.sign(self.root.key, hashes.SHA256())
        return Issued(certificate, key, (self.root.certificate,) if shows_root else ())

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts this authority alone, and minds names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.root.certificate.public_bytes(PEM).decode())
        return context


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, days: int = 10) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
    )
