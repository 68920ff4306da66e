"""What a worker process learns about TLS with others, and shares with its siblings through PostgreSQL.

Which hosts have broken TLS, which MTA-STS policies hold, and how sessions ended, counted by UTC day for the reports of
RFC 8460. All is kept in the process and written now and then; nothing waits for the database.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from delivery.mta_sts import Policy
from delivery.sites import Target, TlsPlan
from delivery.smtp import ConnectFailure
from mailsales.ledger import Row
from mailsales.routes import TLSMode

Run = Callable[[str, dict[str, Any]], Awaitable[list[Row]]]

BROKEN_FOR = timedelta(days=3)
READ_AFTER = timedelta(minutes=1)  # what siblings found out
OVERLAP = timedelta(minutes=5)  # of two readings, since clocks and commits are not in step
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_HOST, LONGEST_TEXT = 255, 500
EXPIRED, WRONG_NAME = 10, 62  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH

WRITE_BROKEN = """
INSERT INTO broken_tls (host, until, text)
SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t(host text, until timestamptz, text text) ORDER BY host
ON CONFLICT (host) DO UPDATE SET until = excluded.until, text = excluded.text"""
FORGET_BROKEN = "DELETE FROM broken_tls WHERE until < now()"
READ_BROKEN = "SELECT host, until FROM broken_tls WHERE until > now()"
WRITE_POLICIES = """
INSERT INTO sts_policy (domain, policy_id, mode, mx, text, fetched_at, expires_at)
SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t(domain text, policy_id text, mode text, mx text[], text text,
  fetched_at timestamptz, expires_at timestamptz) ORDER BY domain
ON CONFLICT (domain) DO UPDATE SET policy_id = excluded.policy_id, mode = excluded.mode, mx = excluded.mx,
  text = excluded.text, fetched_at = excluded.fetched_at, expires_at = excluded.expires_at
WHERE sts_policy.fetched_at < excluded.fetched_at"""
READ_POLICIES = """
SELECT domain, policy_id, mode, mx, text, fetched_at, expires_at FROM sts_policy
WHERE expires_at > now() AND fetched_at > %(since)s"""
WRITE_RESULTS = """
INSERT INTO tls_result ("on", domain, policy_type, policy, mx_patterns, result, mx, text, n)
SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t("on" date, domain text, policy_type text, policy text[],
  mx_patterns text[], result text, mx text, text text, n int) ORDER BY 1, 2, 3, 6, 7
ON CONFLICT ("on", domain, policy_type, result, mx) DO UPDATE SET n = tls_result.n + excluded.n, text = excluded.text,
  policy = excluded.policy, mx_patterns = excluded.mx_patterns"""


@dataclass(slots=True)
class Count:
    """Sessions that ended alike, since the last flush."""

    plan: TlsPlan
    text: str
    n: int = 0


class TlsMemory:
    """One for a process; all methods belong to its event loop. Without `run` it keeps everything to itself."""

    def __init__(self, run: Run | None = None) -> None:
        self._run = run
        self._broken: dict[str, datetime] = {}
        self._new_broken: dict[str, str] = {}
        self._policies: dict[str, Policy] = {}
        self._new_policies: dict[str, Policy] = {}
        self._counts: dict[tuple[date, str, str, str, str], Count] = {}
        self._read_at: datetime | None = None

    # -- hosts with broken TLS -------------------------------------------------------------------

    def broken(self, host: str, text: str) -> None:
        """Remember that a handshake with the host failed, where nothing demanded one."""
        self._broken[host] = datetime.now(UTC) + BROKEN_FOR
        self._new_broken[host] = text

    def is_broken(self, host: str) -> bool:
        until = self._broken.get(host)
        return until is not None and until > datetime.now(UTC)

    # -- policies of MTA-STS ---------------------------------------------------------------------

    def keep(self, policy: Policy) -> None:
        """Remember the policy until it ends."""
        self._policies[policy.domain] = self._new_policies[policy.domain] = policy

    def policy(self, domain: str) -> Policy | None:
        """Return the domain's policy, if one holds."""
        found = self._policies.get(domain)
        return found if found and found.expires_at > datetime.now(UTC) else None

    # -- how sessions ended ----------------------------------------------------------------------

    def note(self, target: Target, failure: ConnectFailure | None, domain: str = "") -> None:
        """Count a session that stood (None), or whose TLS failed, for the recipient's domain that it was opened for.

        A report is for that domain (RFC 8460 §1.1), whoever's policy it was. Without one, only MTA-STS is counted.
        """
        if target.tls.mode is TLSMode.NONE:
            return
        if failure is None:
            self.count(target.tls, "", "", "", domain)
        else:
            self.count(target.tls, result_of(failure), target.host, failure.reply.text, domain)

    def count(self, plan: TlsPlan, result: str, host: str, text: str, domain: str = "") -> None:
        """Count what became of a policy; `result` as RFC 8460 §4.3 names it, empty for a success."""
        domain = plan.policy_domain or domain
        if not domain:
            return
        key = (datetime.now(UTC).date(), domain, plan.policy_type, result, host)
        found = self._counts.setdefault(key, Count(plan, text))
        found.plan, found.text, found.n = plan, text, found.n + 1

    # -- the database ----------------------------------------------------------------------------

    async def begin(self) -> None:
        """Read what is known, once, before anything is decided; while the database is away, go on without."""
        if self._run and self._read_at is None:
            with suppress(psycopg.Error):
                await self._read(self._run)

    async def flush(self, run: Run) -> None:
        """Write what is new, and once a minute read what others found. Raise psycopg.Error; nothing is lost by it."""
        broken, self._new_broken = self._new_broken, {}
        policies, self._new_policies = self._new_policies, {}
        counts, self._counts = self._counts, {}
        try:
            if broken:
                await run(WRITE_BROKEN, {"rows": self._broken_rows(broken)})
                broken = {}
            if policies:
                await run(WRITE_POLICIES, {"rows": _policy_rows(policies)})
                policies = {}
            if counts:
                await run(WRITE_RESULTS, {"rows": _result_rows(counts)})
                counts = {}
        finally:
            self._new_broken = broken | self._new_broken
            self._new_policies = policies | self._new_policies
            self._recount(counts)
        if self._read_at is None or datetime.now(UTC) - self._read_at > READ_AFTER:
            await run(FORGET_BROKEN, {})
            await self._read(run)

    async def _read(self, run: Run) -> None:
        now = datetime.now(UTC)
        since = self._read_at - OVERLAP if self._read_at else LONG_AGO
        for host, until in await run(READ_BROKEN, {}):
            self._broken[host] = until
        for domain, policy_id, mode, mx, text, fetched_at, expires_at in await run(READ_POLICIES, {"since": since}):
            known = self._policies.get(domain)
            if known is None or known.fetched_at < fetched_at:
                self._policies[domain] = Policy(domain, policy_id, mode, tuple(mx), text, fetched_at, expires_at)
        self._broken = {host: until for host, until in self._broken.items() if until > now}
        self._policies = {domain: policy for domain, policy in self._policies.items() if policy.expires_at > now}
        self._read_at = now

    def _recount(self, counts: dict[tuple[date, str, str, str, str], Count]) -> None:
        for key, count in counts.items():
            if key in self._counts:
                self._counts[key].n += count.n
            else:
                self._counts[key] = count

    def _broken_rows(self, broken: dict[str, str]) -> str:
        rows = [(host, self._broken[host].isoformat(), text) for host, text in broken.items()]
        return json.dumps(
            [{"host": host[:LONGEST_HOST], "until": until, "text": text[:LONGEST_TEXT]} for host, until, text in rows]
        )


def result_of(failure: ConnectFailure) -> str:
    """Return the result type of RFC 8460 §4.3.1 for a session whose TLS failed."""
    cause = failure.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        names = {EXPIRED: "certificate-expired", WRONG_NAME: "certificate-host-mismatch"}
        return names.get(cause.verify_code, "certificate-not-trusted")
    if failure.is_unoffered:
        return "starttls-not-supported"
    return "validation-failure"


# -- inside ------------------------------------------------------------------------------------


def _policy_rows(policies: dict[str, Policy]) -> str:
    rows = [
        {
            "domain": policy.domain,
            "policy_id": policy.policy_id,
            "mode": policy.mode,
            "mx": [pattern[:LONGEST_HOST] for pattern in policy.mx],
            "text": policy.text.replace("\0", ""),
            "fetched_at": policy.fetched_at.isoformat(),
            "expires_at": policy.expires_at.isoformat(),
        }
        for policy in policies.values()
    ]
    return json.dumps(rows)


def _result_rows(counts: dict[tuple[date, str, str, str, str], Count]) -> str:
    rows = [
        {
            "on": on.isoformat(),
            "domain": domain,
            "policy_type": policy_type,
            "policy": count.plan.policy,
            "mx_patterns": count.plan.mx_patterns,
            "result": result,
            "mx": host[:LONGEST_HOST],
            "text": count.text[:LONGEST_TEXT],
            "n": count.n,
        }
        for (on, domain, policy_type, result, host), count in counts.items()
    ]
    return json.dumps(rows)
