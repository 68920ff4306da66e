"""The system checks of SHAPING_FILE, TLSRPT_FROM and DNS_SERVERS: `manage.py check` names what is wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags

from delivery import shaping
from delivery.resolver import Resolver
from mailsales.addresses import BadAddress, clean_address


@checks.register(Tags.files)
def shaping_file_is_right(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what is wrong in the file that overrides delivery/shaping.toml."""
    try:
        shaping.load(settings.SHAPING_FILE)
    except shaping.ShapingError as wrong:
        return [Error(f"SHAPING_FILE: {wrong}", hint=wrong.hint, id="delivery.E001")]
    return []


@checks.register(Tags.files)
def reports_come_from_an_address(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a sender of TLS reports that is no address."""
    try:
        if settings.TLSRPT_FROM:
            clean_address(settings.TLSRPT_FROM)
    except BadAddress:
        hint = "Write an address of a domain that an account has, for example TLSRPT_FROM=tls-reports@example.jp."
        return [Error(f"TLSRPT_FROM is “{settings.TLSRPT_FROM}”, not an address.", hint=hint, id="delivery.E002")]
    return []


@checks.register(Tags.files)
def dns_servers_are_right(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a name server that nobody could ask."""
    try:
        Resolver(settings.DNS_SERVERS)
    except ValueError as wrong:
        hint = "Write host or host:port, for example DNS_SERVERS=192.0.2.53,[2001:db8::53]:5353."
        return [Error(f"DNS_SERVERS: {wrong}", hint=hint, id="delivery.E003")]
    return []
