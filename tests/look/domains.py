"""Sending domains of every state, for the look tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.domains.findings import Finding, State
from accounts.domains.keys import complete
from accounts.domains.making import make_domain
from accounts.domains.records import Need
from accounts.models import Account, BlocklistAnswer, Domain

MISSING_DMARC = Finding("dmarc", State.MISSING, "dmarc_missing", {"name": "_dmarc.oroshi.aoba.example.jp"})
TWO_SPF = Finding("spf", State.BAD, "spf_two", {"name": "oroshi.aoba.example.jp", "count": 2})
MISSING_PROOF = Finding("proof", State.MISSING, "proof_missing", {"name": "_mailsales.example.com"})
HELD = Finding(
    "proof", State.BAD, "proof_held", {"domain": "midori.example.jp", "name": "_mailsales.midori.example.jp"}
)


def add_domains(account: Account) -> dict[str, int]:
    """Give the company domains of every state, and return their keys by name: ready, nearly ready, broken, held by another account, never checked."""
    at, rows = timezone.now(), {}
    states: dict[str, dict[str, Any]] = {
        "aoba.example.jp": {"state": "good"},
        "oroshi.aoba.example.jp": {"state": "partly", "changes": {"dmarc": MISSING_DMARC, "spf": TWO_SPF}},
        "kissa-aoba-no-nagai-namae-no-domain.example.com": {"state": "broken", "changes": {"proof": MISSING_PROOF}},
        "midori.example.jp": {"state": "unproven", "changes": {"proof": HELD}},
        "atarashii.example.jp": {"state": "unproven", "checked_at": None},
    }
    for position, (name, values) in enumerate(states.items()):
        domain = make_domain(account, name)
        complete(domain)
        domain.state, domain.checked_at = values["state"], values.get("checked_at", at)
        domain.proven_at = None if values["state"] == "unproven" else at
        domain.findings = _findings(domain, values.get("changes", {})) if domain.checked_at else []
        domain.tracking_label = "link" if position == 0 else ""
        domain.save()
        domain.keys.update(published_at=at if position == 0 else None)
        rows[f"domain_{position}"] = domain.pk
    for blocklist, state in (
        ("zen.spamhaus.org", "clean"),
        ("dbl.spamhaus.org", "listed"),
        ("multi.uribl.com", "unknown"),
    ):
        BlocklistAnswer.objects.create(name="aoba.example.jp", list=blocklist, state=state, checked_at=at)
    return rows


def _findings(domain: Domain, changes: dict[str, Finding]) -> list[dict[str, Any]]:
    """Return what a check would have found, good but for the changes."""
    name = domain.name
    found = [
        Finding("proof", State.GOOD, "proof_good", {"name": domain.proof_name}),
        Finding("spf", State.GOOD, "spf_good", {"name": name, "addresses": ["203.0.113.5"], "lookups": 4}),
        *(
            Finding(f"dkim-{selector}", State.GOOD, code, {"name": f"{selector}._domainkey.{name}"})
            for selector, code in (("m1", "dkim_good"), ("e1", "dkim_good"), ("m2", "dkim_next_good"))
        ),
        Finding("dkim-e2", State.MISSING, "dkim_next_missing", {"name": f"e2._domainkey.{name}"}, Need.RECOMMENDED),
        Finding("dmarc", State.GOOD, "dmarc_own", {"name": f"_dmarc.{name}", "policy": "none"}),
        Finding("return-mx", State.GOOD, "return_good", {"name": domain.bounce_name, "host": "mx.example.com"}),
        Finding("return-spf", State.UNKNOWN, "spf_trouble", {"name": domain.bounce_name, "detail": "timeout"}),
        Finding("alignment", State.GOOD, "align_both", {"name": name}),
        Finding("mx", State.GOOD, "from_good", {"name": name, "hosts": [f"mx.{name}"]}),
        Finding(
            "identity-203.0.113.5", State.BAD, "identity_no_ptr", {"address": "203.0.113.5", "name": "mail.example.com"}
        ),
        Finding("bimi", State.MISSING, "bimi_missing", {}, Need.OPTIONAL),
    ]
    return [changes.get(finding.key, finding).stored() for finding in found]
