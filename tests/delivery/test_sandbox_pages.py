from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import resolve, reverse

from accounts.domains.making import make_domain
from accounts.models import DkimKey
from delivery.compose import Composer, Recipient, Rendition, date_header, freeze
from delivery.dkim import Signer, Signers
from delivery.models import BADGES, Message, SandboxMail
from delivery.sandbox.proofs import Proof, proofs_of
from delivery.sandbox.reading import parsed
from mailsales.paging import SIZE
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_content

HTML = b"Content-Type: text/html; charset=utf-8\r\nSubject: x\r\n\r\n<html><head></head><body><script>1</script><a href='/c/x'>x</a></body></html>"


class SandboxPagesTestCase(MailsalesTestCase):
    def keep(self, raw: bytes = HTML, **fields: Any) -> SandboxMail:
        values = {
            "account": self.account,
            "recipient": "hanako@example.jp",
            "subject": "新茶のご案内",
            "tls": "TLSv1.3",
        }
        values |= {"mail_from": "b+x@bounce.aoba.example.jp", "code": 250, "reply": "2.0.0 Ok"} | fields
        return SandboxMail.objects.create(raw=raw, size=len(raw), **values)

    def ask(self, view: str, *args: int, who: str = "vera", query: str = "", **headers: str) -> Any:
        self.client.force_login(getattr(self, who))
        with wall(None):
            return self.client.get(reverse(f"delivery:{view}", args=args) + query, headers=headers)

    def test_the_list_shows_the_newest_first(self) -> None:
        first, second = self.keep(), self.keep(subject="秋摘み茶")
        self.assertEqual([mail.pk for mail in self.ask("sandbox_list").context["mails"]], [second.pk, first.pk])

    def test_the_list_is_searched(self) -> None:
        self.keep()
        found = self.keep(subject="秋摘み茶")
        for query in ("?q=秋摘み", "?q=HANAKO"):
            self.assertIn(found, self.ask("sandbox_list", query=query).context["mails"])
        self.assertEqual(len(self.ask("sandbox_list", query="?q=秋摘み").context["mails"]), 1)

    def test_an_empty_list_says_what_it_is_for(self) -> None:
        self.assertContains(self.ask("sandbox_list"), "No emails yet")

    def test_htmx_gets_the_rows_alone(self) -> None:
        self.keep()
        response = self.ask("sandbox_list", **{"HX-Request": "true"})
        self.assertTrue(response.content.decode().strip().startswith('<div id="sandbox-table"'))

    def test_the_page_asks_for_itself_and_hears_nothing_until_there_is_more(self) -> None:
        shown = self.ask("sandbox_list", query=f"?q=&newest={self.keep().pk}").context["poll"]
        self.assertEqual(self.ask("sandbox_list", query=shown, **{"HX-Request": "true"}).status_code, 204)
        self.keep(subject="秋摘み茶")
        self.assertContains(self.ask("sandbox_list", query=shown, **{"HX-Request": "true"}), "秋摘み茶")

    def test_the_first_mail_of_all_brings_the_page(self) -> None:
        asks = {"query": "?newest=0", "HX-Request": "true"}
        self.assertEqual(self.ask("sandbox_list", **asks).status_code, 204)
        self.keep()
        self.assertEqual(self.ask("sandbox_list", **asks)["HX-Refresh"], "true")

    def test_a_search_without_a_match_waits_too(self) -> None:
        query = "?q=hojicha&newest=0"
        self.assertEqual(self.ask("sandbox_list", query=query, **{"HX-Request": "true"}).status_code, 204)
        self.keep(subject="hojicha")
        self.assertContains(self.ask("sandbox_list", query=query, **{"HX-Request": "true"}), "hojicha")

    def test_asking_by_itself_keeps_no_session_alive(self) -> None:
        self.assertTrue(resolve(reverse("delivery:sandbox_list")).func.is_polled)  # type: ignore[attr-defined]

    def test_older_pages_stay_as_they_are(self) -> None:
        first = self.keep()
        for _number in range(SIZE):
            self.keep()
        self.assertTrue(self.ask("sandbox_list").context["poll"])
        page = self.ask("sandbox_list", query=f"?newest=5&after={first.pk + 1}")
        self.assertEqual((page.context["poll"], page.context["mails"]), ("", [first]))
        self.assertNotIn("newest", page.context["page"].previous)

    def test_a_refusal_shows_its_reply(self) -> None:
        mail = self.keep(b"", subject="", code=550, reply="5.1.1 There is no such account.")
        page = self.ask("sandbox_detail", mail.pk, **{"Accept-Language": "en"})
        self.assertContains(page, "550 5.1.1 There is no such account.")
        self.assertEqual([proof.title for proof in page.context["proofs"]], ["Encryption"])
        self.assertContains(self.ask("sandbox_list", **{"Accept-Language": "en"}), "Answered before its content came")

    def test_a_broken_connection_is_unknown(self) -> None:
        mail = self.keep(code=0, reply="")
        self.assertEqual(mail.state, BADGES[Message.Status.UNKNOWN])
        self.assertEqual(self.ask("sandbox_detail", mail.pk).status_code, 200)

    def test_a_stranger_sees_nothing(self) -> None:
        mail = self.keep()
        self.assertNotContains(self.ask("sandbox_list", who="charlie"), mail.subject)
        for view in ("sandbox_detail", "sandbox_html", "sandbox_download"):
            self.assertEqual(self.ask(view, mail.pk, who="charlie").status_code, 404)

    def test_it_requires_a_login(self) -> None:
        for view in ("sandbox_detail", "sandbox_html", "sandbox_download"):
            self.assertEqual(self.client.get(reverse(f"delivery:{view}", args=[self.keep().pk])).status_code, 302)

    def test_every_way_to_look_at_it_works(self) -> None:
        mail = self.keep()
        for view in ("html", "text", "headers", "raw", "nonsense"):
            self.assertEqual(self.ask("sandbox_detail", mail.pk, query=f"?view={view}").status_code, 200)

    def test_its_html_runs_no_script_and_opens_links_beside(self) -> None:
        response: HttpResponse = self.ask("sandbox_html", self.keep().pk)
        policy = response["Content-Security-Policy"]
        self.assertIn("sandbox allow-popups allow-popups-to-escape-sandbox;", f"{policy};")
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("script-src", policy)
        self.assertIn(b'<head><base target="_blank">', response.content)
        self.assertEqual(response["X-Frame-Options"], "SAMEORIGIN")

    def test_it_is_saved_as_it_came(self) -> None:
        response = self.ask("sandbox_download", self.keep().pk)
        self.assertEqual((response.content, response["Content-Type"]), (HTML, "message/rfc822"))

    def test_a_mail_that_is_no_mail_is_shown(self) -> None:
        mail = self.keep(b"\x00\xff no headers at all", subject="")
        for view in ("html", "text", "headers", "raw"):
            self.assertEqual(self.ask("sandbox_detail", mail.pk, query=f"?view={view}").status_code, 200)

    def test_an_encoding_that_nobody_knows_is_shown(self) -> None:
        mail = self.keep(b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>x</p>")
        self.assertEqual(self.ask("sandbox_html", mail.pk).status_code, 200)


class ProofsTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        domain = make_domain(self.account, "aoba.example.jp")
        key = DkimKey.objects.signing().get(domain=domain, algorithm=DkimKey.Algorithm.RSA)
        signers = Signers([Signer(domain.name, key.selector, key.algorithm, key.private_key)])
        content = make_content(account_id=self.account.pk)
        composer = Composer(Rendition.load(freeze(content)), signers, "https://track.example.jp")
        self.raw = composer.compose(Recipient(1, "hanako@example.jp", "佐藤 花子", {}), date_header(1e9), 10**9).body

    def proofs(self, raw: bytes, **fields: Any) -> list[Proof]:
        values = {"account": self.account, "recipient": "x", "mail_from": "x", "code": 250, "tls": "TLSv1.3"} | fields
        mail = SandboxMail(raw=raw, size=len(raw), **values)
        return proofs_of(mail, parsed(mail))

    def test_our_own_mail_passes_all(self) -> None:
        found = self.proofs(self.raw)
        self.assertEqual([proof.is_good for proof in found], [True] * 4)
        self.assertIn("m1._domainkey.aoba.example.jp", found[0].text)

    def test_a_changed_body_breaks_the_signature(self) -> None:
        head, _body = self.raw.split(b"\r\n\r\n", 1)
        self.assertFalse(self.proofs(head + b"\r\n\r\nother")[0].is_good)

    def test_no_signature_is_said(self) -> None:
        self.assertFalse(self.proofs(HTML)[0].is_good)

    def test_clear_text_is_said(self) -> None:
        self.assertFalse(self.proofs(self.raw, tls="")[1].is_good)

    def test_an_unsigned_header_of_one_click_is_said(self) -> None:
        raw = b"DKIM-Signature: v=1; h=from : list-unsubscribe; b=\r\n" + self.raw
        self.assertFalse(self.proofs(raw)[2].is_good)

    def test_long_lines_and_eight_bits_are_said(self) -> None:
        for raw in (self.raw + b"x" * 1000, self.raw + "お".encode()):
            self.assertFalse(self.proofs(raw)[3].is_good)
