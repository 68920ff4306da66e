from __future__ import annotations

from django.core.cache import cache
from django.urls import reverse
from django.utils import translation

from accounts.domains.guide import guide_of
from accounts.domains.making import make_domain
from accounts.models import AuditEntry, Domain
from tests.accounts.domains import DomainTestCase
from tests.make import make_sender


class PageTestCase(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.detail = self.url("detail")

    def url(self, verb: str, domain: Domain | None = None) -> str:
        return reverse(f"accounts:domain_{verb}", args=[(domain or self.domain).pk])

    def check_by_hand(self) -> None:
        cache.delete(f"domain_check:{self.domain.pk}")
        self.client.post(self.url("check"))


class DomainDetailTest(PageTestCase):
    def test_it_shows_every_record_to_paste(self) -> None:
        page = self.client.get(self.detail)
        for text in (
            "_mailsales.aoba.example.jp",
            self.domain.proof_record,
            "m1._domainkey",
            "e2._domainkey",
            "_dmarc",
        ):
            self.assertContains(page, text)

    def test_a_long_value_is_also_there_in_parts(self) -> None:
        key = self.domain.keys.get(selector="m1")
        self.assertContains(
            self.client.get(self.detail), f"&quot;{key.record[:255]}&quot; &quot;{key.record[255:]}&quot;"
        )

    def test_what_is_required_stands_first(self) -> None:
        page = self.client.get(self.detail).context["guide"]
        needs = [str(row.record.need) for row in page.rows]
        self.assertEqual(needs, sorted(needs, key=["required", "recommended"].index))

    def test_before_the_first_check_it_says_what_to_do(self) -> None:
        self.assertContains(self.client.get(self.detail), "records to your DNS")

    def test_it_counts_what_is_missing(self) -> None:
        self.publish("dmarc")
        self.recheck()
        page = self.client.get(self.detail)
        self.assertContains(page, "1 more record and everything is in place.")
        self.assertContains(page, "There is no DMARC record")

    def test_with_everything_in_place_it_is_quiet(self) -> None:
        self.publish()
        self.recheck()
        page = self.client.get(self.detail)
        self.assertContains(page, "Ready")
        self.assertIsNone(page.context["guide"].notice)

    def test_a_broken_one_says_that_nothing_is_sent(self) -> None:
        self.publish()
        self.recheck()
        self.publish("proof")
        self.recheck()
        self.assertContains(self.client.get(self.detail), "Nothing is sent from this domain at present")

    def test_it_says_when_another_account_holds_it(self) -> None:
        Domain.objects.create(account=self.other_account, name=self.domain.name, proven_at=self.domain.created_at)
        self.publish()
        self.recheck()
        page = self.client.get(self.detail)
        self.assertContains(page, "Another account holds this domain")
        self.assertContains(page, "A domain serves only the account that proved it.")

    def test_a_stranger_finds_nothing(self) -> None:
        self.client.force_login(self.charlie)
        for verb in ("detail", "delete"):
            self.assertEqual(self.client.get(self.url(verb)).status_code, 404)
        for verb in ("check", "tracking", "delete"):
            self.assertEqual(self.client.post(self.url(verb)).status_code, 404)

    def test_members_may_look_and_change_nothing(self) -> None:
        self.client.force_login(self.vera)
        self.assertNotContains(self.client.get(self.detail), self.url("check"))
        for verb in ("check", "tracking", "delete"):
            self.assertEqual(self.client.post(self.url(verb)).status_code, 403)

    def test_changes_take_a_post(self) -> None:
        for verb in ("check", "tracking"):
            self.assertEqual(self.client.get(self.url(verb)).status_code, 405)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertIn("/login/", self.client.get(self.detail).headers["Location"])


class DomainCheckTest(PageTestCase):
    def test_it_asks_dns_and_comes_back(self) -> None:
        self.publish()
        answer = self.client.post(self.url("check"))
        self.assertRedirects(answer, self.detail, fetch_redirect_response=False)
        self.domain.refresh_from_db()
        self.assertEqual((self.domain.state, self.domain.is_proven), ("good", True))

    def test_htmx_gets_the_fragment_alone(self) -> None:
        self.publish()
        answer = self.client.post(self.url("check"), headers={"HX-Request": "true"})
        self.assertTemplateUsed(answer, "accounts/_domain.html")
        self.assertTemplateNotUsed(answer, "base.html")
        self.assertContains(answer, "The domain is yours")

    def test_it_asks_at_most_once_in_a_few_seconds(self) -> None:
        self.client.post(self.url("check"))
        self.publish()
        self.client.post(self.url("check"))
        self.domain.refresh_from_db()
        self.assertFalse(self.domain.is_proven)

    def test_later_it_asks_again(self) -> None:
        self.client.post(self.url("check"))
        self.publish()
        self.check_by_hand()
        self.domain.refresh_from_db()
        self.assertTrue(self.domain.is_proven)


class DomainTrackingTest(PageTestCase):
    def save(self, label: str) -> int:
        status = self.client.post(self.url("tracking"), {"tracking_label": label}).status_code
        self.domain.refresh_from_db()
        return status

    def test_it_takes_a_name_and_shows_its_record(self) -> None:
        self.assertEqual(self.save(" Link "), 302)
        self.assertEqual(self.domain.tracking_host, "link.aoba.example.jp")
        self.assertContains(self.client.get(self.detail), "link.aoba.example.jp")

    def test_the_whole_host_is_taken_as_well(self) -> None:
        self.save("link.aoba.example.jp")
        self.assertEqual(self.domain.tracking_label, "link")

    def test_a_new_name_has_to_be_seen_first(self) -> None:
        Domain.objects.update(tracking_label="old", is_tracking_ready=True)
        self.save("link")
        self.assertFalse(self.domain.is_tracking_ready)

    def test_the_same_name_stays_ready(self) -> None:
        Domain.objects.update(tracking_label="link", is_tracking_ready=True)
        self.save("link")
        self.assertTrue(self.domain.is_tracking_ready)

    def test_what_is_no_label_or_taken_is_refused(self) -> None:
        for label in ("a b", "a.b", "-a", "bounce", "リンク"):
            self.assertEqual(self.save(label), 422, label)
        self.assertEqual(self.domain.tracking_label, "")

    def test_an_empty_one_gives_it_up(self) -> None:
        Domain.objects.update(tracking_label="link", is_tracking_ready=True)
        self.save("")
        self.assertEqual(self.domain.tracking_host, "")


class DomainDeleteTest(PageTestCase):
    def test_it_asks_first(self) -> None:
        self.assertContains(self.client.get(self.url("delete")), "Delete the domain")
        self.assertTrue(Domain.objects.exists())

    def test_it_deletes_the_keys_as_well(self) -> None:
        self.assertEqual(self.client.post(self.url("delete")).status_code, 302)
        self.assertFalse(Domain.objects.exists())
        self.assertEqual(AuditEntry.objects.latest("pk").action, "domain.delete")

    def test_one_that_senders_use_stays(self) -> None:
        make_sender(self.account)
        self.assertContains(self.client.get(self.url("delete")), "cannot be deleted")
        self.assertContains(self.client.post(self.url("delete"), follow=True), "Senders use this domain")
        self.assertTrue(Domain.objects.filter(pk=self.domain.pk).exists())

    def test_that_of_another_account_stays(self) -> None:
        theirs = make_domain(self.other_account, "midori.example.jp")
        self.assertEqual(self.client.post(self.url("delete", theirs)).status_code, 404)


class WordsTest(PageTestCase):
    def test_what_is_optional_is_no_fault_when_it_is_not_there(self) -> None:
        self.publish("bimi")
        self.recheck()
        row = next(row for row in guide_of(self.domain_again()).optional if row.record.key == "bimi")
        self.assertEqual((row.badge.tone, row.is_pressing), ("", False))

    def test_the_page_is_japanese_throughout_when_another_account_holds_the_domain(self) -> None:
        Domain.objects.create(account=self.other_account, name=self.domain.name, proven_at=self.domain.created_at)
        self.publish()
        self.recheck()
        with translation.override("ja"):
            notice = guide_of(self.domain_again()).notice
        assert notice
        self.assertTrue(notice.text.endswith("ドメインを使えるのは、確認した会社だけです。"))

    def domain_again(self) -> Domain:
        return Domain.objects.get(pk=self.domain.pk)
