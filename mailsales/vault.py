"""Secrets at rest: what the database holds of them is useless without the installation's SECRET_KEY."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2s

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Sealed(ValueError):
    """The text was sealed under another SECRET_KEY."""


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text; raise Sealed when no key of this installation opens it."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Sealed("This secret was stored under another SECRET_KEY.") from error


def _box() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet(
        [Fernet(urlsafe_b64encode(blake2s(secret.encode(), person=b"vault").digest())) for secret in secrets]
    )
