"""Evaluate SPF against any name server: lines of JSON in, one result word of RFC 7208 §2.6 a line out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mailsales.dns import spf
from mailsales.dns.questions import Questions
from mailsales.management.json_lines import answer_lines, text


class Command(BaseCommand):
    help = (
        'Read lines like {"ip": "192.0.2.1", "helo": "mx.example.jp", "mailfrom": "a@example.jp", "server": "127.0.0.1", '
        '"port": 5353} from standard input, and write one result word of RFC 7208 for each. Without "server", DNS_SERVERS '
        'are asked. A line that cannot be read is answered by "error", and the command ends with status 2.'
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        answer_lines(self, _word, bad="error")


def _word(asked: dict[str, Any], questions: Questions) -> str:
    sender, helo = text(asked, "mailfrom", default=""), text(asked, "helo", default="")
    return spf.check_host(questions, ip=text(asked, "ip"), sender=sender, helo=helo).word
