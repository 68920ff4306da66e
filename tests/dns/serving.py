"""A name server on the loopback for code that waits for its answers."""

from __future__ import annotations

import dns.name
import dns.rrset
from django.test import SimpleTestCase

from mailsales.dns.questions import Questions
from mailsales.management.bench.names import Names
from tests.delivery.sending import sink_thread


class Zones(Names):
    """Serves several zones at once: dnspython's reader takes no SOA record but that of the root."""

    @staticmethod
    def _rrsets(zone: str) -> dict[tuple[dns.name.Name, int], dns.rrset.RRset]:
        lines = zone.splitlines()
        starts = [line.partition(" SOA ") for line in lines if " SOA " in line]
        found = Names._rrsets("\n".join(line for line in lines if " SOA " not in line))
        rrsets = [dns.rrset.from_text(name, 300, "IN", "SOA", rdata) for name, _soa, rdata in starts]
        return found | {(rrset.name, rrset.rdtype): rrset for rrset in rrsets}


class NamesTestCase(SimpleTestCase):
    """Serves ZONE; `self.questions` asks it, and has asked nothing yet when a test begins."""

    ZONE = ""

    def setUp(self) -> None:
        self.names = self.enterContext(sink_thread(Zones(self.ZONE)))
        self.questions = self.ask_anew()

    def ask_anew(self, *, timeout: float = 0.3) -> Questions:
        return Questions([self.names.server], timeout=timeout)
