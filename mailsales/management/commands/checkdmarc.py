"""Evaluate DMARC against any name server: lines of JSON in, the result of RFC 9989 as a line of JSON out."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from mailsales.dns import dmarc
from mailsales.dns.questions import Questions
from mailsales.management.json_lines import answer_lines, text


class Command(BaseCommand):
    help = (
        'Read lines like {"from": "example.jp", "spf": "bounce.example.jp", "dkim": ["example.jp"], "server": "127.0.0.1", '
        '"port": 5353} from standard input: the author domain, and the domains that passed SPF (or null) and DKIM. Write '
        '{"result", "policy", "policy_domain", "org_domain"} for each, as RFC 9989 has them; "policy" is what is to be done '
        'with a mail that fails, and a domain that there is not is null. Without "server", DNS_SERVERS are asked. A line '
        'that cannot be read is answered by {"error": …}, and the command ends with status 2.'
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        answer_lines(self, _result, bad='{"error": "the line cannot be read"}')


def _result(asked: dict[str, Any], questions: Questions) -> str:
    domains = [] if asked.get("dkim") is None else asked["dkim"]
    if isinstance(domains, str):
        domains = [domains]
    if not isinstance(domains, list) or not all(isinstance(domain, str) for domain in domains):
        raise ValueError("“dkim” is no list of domains")
    author, spf = text(asked, "from"), text(asked, "spf", default="")
    result = dmarc.evaluate(questions, author=author, spf=spf, dkim=domains)
    said = {
        "result": result.word,
        "policy": result.policy,
        "policy_domain": result.policy_domain or None,
        "org_domain": result.organizational_domain or None,
    }
    return json.dumps(said)
