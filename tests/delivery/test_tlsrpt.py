from __future__ import annotations

import gzip
import json
from datetime import date
from email import message_from_bytes, policy
from functools import cache
from typing import Any

from django.test import SimpleTestCase

from delivery.compose import Mail
from delivery.dkim import Signer, Signers, dns_record, verify
from delivery.models import TlsResult
from delivery.tlsrpt import Report, address_of, destinations, mail
from mailsales.dkim_keys import RSA, make_key
from tests.delivery import opendkim

DAY = date(2026, 11, 23)
STS = ["version: STSv1", "mode: enforce", "mx: *.example.net", "max_age: 604800"]
PUBLISHED = "v=TLSRPTv1; rua=mailto:tls@example.net"


def row(**fields: Any) -> TlsResult:
    values: dict[str, Any] = {"on": DAY, "domain": "example.net", "policy_type": "no-policy-found", "n": 1}
    values |= {"result": "", "mx": "", "text": ""}
    return TlsResult(**values | fields)


def sts(**fields: Any) -> TlsResult:
    return row(policy_type="sts", policy=STS, mx_patterns=["*.example.net"], **fields)


def report(*rows: TlsResult, **fields: Any) -> Report:
    values: dict[str, Any] = {"domain": "example.net", "on": DAY, "contact": "tls-reports@sender.example.jp"}
    return Report(rows=rows, **values | fields)


class ReportTest(SimpleTestCase):
    def test_it_names_its_maker_and_its_day(self) -> None:
        content = report(row()).content()
        self.assertEqual(content["organization-name"], "sender.example.jp")
        self.assertEqual(content["contact-info"], "tls-reports@sender.example.jp")
        day = {"start-datetime": "2026-11-23T00:00:00Z", "end-datetime": "2026-11-23T23:59:59Z"}
        self.assertEqual(content["date-range"], day)
        self.assertEqual(content["report-id"], "20261123.example.net@sender.example.jp")

    def test_sessions_without_a_policy(self) -> None:
        [found] = report(row(n=9, mx="mx.example.net")).content()["policies"]
        summary = {"total-successful-session-count": 9, "total-failure-session-count": 0}
        expected = {"policy-type": "no-policy-found", "policy-domain": "example.net"}
        self.assertEqual(found, {"policy": expected, "summary": summary})

    def test_the_policy_of_mta_sts_is_given_line_by_line(self) -> None:
        [found] = report(sts(n=9)).content()["policies"]
        self.assertEqual(found["policy"]["policy-string"], STS)
        self.assertEqual((found["policy"]["policy-type"], found["policy"]["mx-host"]), ("sts", ["*.example.net"]))

    def test_the_records_of_dane_are_given_with_their_host(self) -> None:
        records = ["3 1 1 12ab", "3 1 1 34cd"]
        [found] = report(row(policy_type="tlsa", policy=records, mx="mx1.example.net")).content()["policies"]
        self.assertEqual((found["policy"]["policy-type"], found["policy"]["policy-string"]), ("tlsa", records))
        self.assertEqual(found["policy"]["mx-host"], ["mx1.example.net"])

    def test_failures_are_counted_and_explained(self) -> None:
        failure = {"result": "certificate-not-trusted", "mx": "mx1.example.net", "text": "self-signed certificate"}
        made = report(sts(n=90), sts(n=3, **failure), sts(n=2, result="starttls-not-supported"), sending_address="::1")
        [found] = made.content()["policies"]
        self.assertEqual(found["summary"]["total-successful-session-count"], 90)
        self.assertEqual(found["summary"]["total-failure-session-count"], 5)
        expected = {"result-type": "certificate-not-trusted", "sending-mta-ip": "::1"}
        expected |= {"receiving-mx-hostname": "mx1.example.net", "failure-reason-code": "self-signed certificate"}
        self.assertEqual(found["failure-details"][0], expected | {"failed-session-count": 3})
        self.assertEqual(len(found["failure-details"]), 2)

    def test_what_is_not_known_is_not_said(self) -> None:
        [found] = report(row(result="validation-failure")).content()["policies"]
        self.assertEqual(found["failure-details"], [{"result-type": "validation-failure", "failed-session-count": 1}])

    def test_each_policy_is_told_apart(self) -> None:
        new = row(policy_type="sts", policy=[*STS[:3], "max_age: 86400"], mx_patterns=["*.example.net"])
        made = report(row(), sts(), new, sts(result="certificate-expired"))
        self.assertEqual(len(made.content()["policies"]), 3)

    def test_the_file_is_named_and_packed(self) -> None:
        made = report(row())
        self.assertEqual(made.file_name, "sender.example.jp!example.net!1795392000!1795478399.json.gz")
        self.assertEqual(json.loads(gzip.decompress(made.packed())), made.content())
        self.assertEqual(made.packed(), made.packed())


class DestinationsTest(SimpleTestCase):
    def test_both_kinds_are_read(self) -> None:
        uris = ["mailto:tls@example.net", "https://tls.example.net/v1?of=example.net"]
        self.assertEqual(destinations([f"v=TLSRPTv1; rua={uris[0]} , {uris[1]};"]), uris)
        self.assertEqual(destinations([f"v=TLSRPTv1;rua={uris[0]};x=1;rua={uris[1]}"]), uris)

    def test_other_records_beside_it_do_not_matter(self) -> None:
        self.assertEqual(destinations(["v=spf1 -all", PUBLISHED, "hello"]), ["mailto:tls@example.net"])

    def test_two_records_are_none(self) -> None:
        self.assertEqual(destinations([PUBLISHED, PUBLISHED]), [])

    def test_records_with_errors_are_none(self) -> None:
        uri = "rua=mailto:tls@example.net"
        for fields in (
            "",
            f" {uri} x",
            "; rua",
            f"; {uri};;{uri}",
            f"; {uri}; x",
            f"; {uri}; =1",
            "; x=1",
            f"; {uri}; ;",
        ):
            with self.subTest(fields):
                self.assertEqual(destinations([f"v=TLSRPTv1{fields}"]), [])
        for wrong in (f"v=tlsrptv1; {uri}", f"v=TLSRPTv2; {uri}", f" v=TLSRPTv1; {uri}", f"v=TLSRPTv1; RUA={uri[4:]}"):
            with self.subTest(wrong):
                self.assertEqual(destinations([wrong]), [])

    def test_destinations_that_cannot_be_are_passed_over(self) -> None:
        for uri in (
            "http://example.net/",
            "https:///x",
            "https://a:b@example.net/",
            "https://example.net:x/",
            "mailto:",
        ):
            with self.subTest(uri):
                self.assertEqual(destinations([f"{PUBLISHED},{uri}"]), ["mailto:tls@example.net"])
        for uri in (
            "mailto:tls",
            "mailto:a@example.net!10m",
            "tls@example.net",
            "https://example.net/ x",
            "mailto:あ@x.jp",
        ):
            with self.subTest(uri):
                self.assertNotIn(uri, destinations([f"{PUBLISHED},{uri}"]))

    def test_a_crowd_is_cut_short(self) -> None:
        crowd = ",".join(f"mailto:{n}@example.net" for n in range(99))
        self.assertEqual(len(destinations([f"v=TLSRPTv1; rua={crowd}"])), 8)

    def test_an_address_is_decoded(self) -> None:
        self.assertEqual(address_of("MAILTO:tls%2Breports@Example.net?subject=x"), "tls+reports@example.net")
        for wrong in ("mailto:a@example.net%0D%0ADATA", "mailto:a@example.net%2Cb@example.net", "https://example.net"):
            with self.subTest(wrong):
                self.assertEqual(address_of(wrong), "")


@cache
def key() -> tuple[str, str]:
    return make_key(RSA)


class MailTest(SimpleTestCase):
    def made(self, **fields: Any) -> Mail:
        signers = Signers([Signer("sender.example.jp", "m1", RSA, key()[0])])
        made = report(sts(n=1_234), sts(n=2, result="certificate-expired"), **fields)
        return mail(made, "tls@example.net", signers, 10**9)

    def parsed(self) -> Any:
        return message_from_bytes(self.made().body, policy=policy.default)

    def test_its_headers_name_both_domains(self) -> None:
        found = self.parsed()
        subject = "Report Domain: example.net Submitter: sender.example.jp"
        self.assertEqual(found["Subject"], f"{subject} Report-ID: <20261123.example.net@sender.example.jp>")
        self.assertEqual(
            (found["TLS-Report-Domain"], found["TLS-Report-Submitter"]), ("example.net", "sender.example.jp")
        )
        self.assertEqual((found["TLS-Required"], found["Auto-Submitted"]), ("No", "auto-generated"))
        self.assertEqual((found["To"], found["From"]), ("tls@example.net", "tls-reports@sender.example.jp"))

    def test_it_is_a_report_of_two_parts(self) -> None:
        found = self.parsed()
        self.assertEqual(found.get_content_type(), "multipart/report")
        self.assertEqual(found.get_param("report-type"), "tlsrpt")
        kinds = [part.get_content_type() for part in found.iter_parts()]
        self.assertEqual(kinds, ["text/plain", "application/tlsrpt+gzip"])
        self.assertIn("1,234 succeeded, 2 failed", found.get_body().get_content())

    def test_its_file_is_the_report(self) -> None:
        _text, file = self.parsed().iter_parts()
        self.assertEqual(file.get_filename(), report().file_name)
        content = json.loads(gzip.decompress(file.get_content()))
        self.assertEqual(content["report-id"], "20261123.example.net@sender.example.jp")
        self.assertEqual(content["policies"][0]["summary"]["total-failure-session-count"], 2)

    def test_dkimpy_finds_it_signed(self) -> None:
        record = dns_record("sender.example.jp", "m1", RSA, key()[1])[1]
        [verdict] = verify(self.made().body, {("m1", "sender.example.jp"): record})
        self.assertTrue(verdict.is_valid, verdict.fault)
        signature = self.parsed()["DKIM-Signature"].replace(" ", "")
        self.assertIn(":tls-report-domain:tls-report-submitter:tls-required:", signature)
        self.assertNotIn(";l=", signature)

    def test_opendkim_finds_it_signed(self) -> None:
        name, record = dns_record("sender.example.jp", "m1", RSA, key()[1])
        self.assertEqual(opendkim.complaints(self.made().body, {name: record}), "")

    def test_it_is_fit_for_any_server(self) -> None:
        lines = self.made(domain="a" * 60 + ".example.net").body.split(b"\r\n")
        self.assertLessEqual(max(map(len, lines)), 250)
        self.assertFalse([line for line in lines if line.startswith(b".") or b"\n" in line or not line.isascii()])

    def test_it_comes_from_who_answers_for_it(self) -> None:
        self.assertEqual(self.made().mail_from, b"tls-reports@sender.example.jp")
