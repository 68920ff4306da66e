"""A sending domain before a name server of its own: its zone is what the page says to paste, and may change."""

from __future__ import annotations

from django.test import override_settings

from accounts.domains import checking
from accounts.domains.findings import Finding
from accounts.domains.making import make_domain
from accounts.domains.records import records_of
from accounts.models import Domain
from mailsales.management.bench.names import Names
from tests.base import MailsalesTestCase
from tests.delivery.sending import sink_thread

ADDRESS = "203.0.113.5"
OURS = f"""
mail.mailsales.example. A {ADDRESS}
5.113.0.203.in-addr.arpa. PTR mail.mailsales.example.
aoba.example.jp. MX 10 mx.aoba.example.jp.
mx.aoba.example.jp. A 198.51.100.7
"""
SETTINGS = {
    "EHLO_NAME": "mail.mailsales.example",
    "SENDING_ADDRESSES": [ADDRESS],
    "SPF_INCLUDE": "",
    "INBOUND_HOST": "mx.mailsales.example",
    "TRACKING_URL": "http://links.mailsales.example",
    "PUBLIC_URL": "http://mailsales.example",
}


class DomainTestCase(MailsalesTestCase):
    """`self.domain` is not proven, and `self.zone` has everything that it needs as soon as `publish` is called."""

    def setUp(self) -> None:
        super().setUp()
        self.names = self.enterContext(sink_thread(Names(OURS)))
        self.enterContext(override_settings(DNS_SERVERS=[self.names.server], **SETTINGS))
        self.domain = make_domain(self.account, "aoba.example.jp")

    def publish(self, *left_out: str, **replaced: str) -> None:
        """Put the domain's records into the zone, but for the keys left out; others get another value (`dkim_m1`)."""
        lines = [OURS]
        for record in records_of(self.domain):
            value = replaced.get(record.key.replace("-", "_"))
            if record.key not in left_out:
                lines.append(record.line if value is None else f"{record.name}. {record.kind} {value}")
        self.names.zone = "\n".join(lines)

    def recheck(self, domain: Domain | None = None) -> Domain:
        """Check the domain and return it as it then stands."""
        domain = domain or self.domain
        checking.recheck(domain)
        domain.refresh_from_db()
        return domain

    def found(self, key: str) -> Finding:
        """Check the domain and return what is found about this."""
        return next(finding for finding in checking.recheck(self.domain) if finding.key == key)

    def code(self, key: str) -> str:
        return self.found(key).code
