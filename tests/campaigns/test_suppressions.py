from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import AuditEntry
from campaigns.models import Suppression
from campaigns.suppressions import finding
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_contact


class SuppressionTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:suppression_list")
        self.create = reverse("campaigns:suppression_create")

    def make(self, address: str = "taro@example.jp", reason: str = "user_unknown", **values: object) -> Suppression:
        return Suppression.objects.create(**{"account": self.account, "address": address, "reason": reason} | values)

    def release(self, suppression: Suppression) -> str:
        return reverse("campaigns:suppression_release", args=[suppression.pk])

    def statuses(self, url: str, method: str = "get") -> list[int]:
        """Return what a viewer, an editor and nobody are answered."""
        found = []
        for user in (self.vera, self.bob, None):
            self.client.logout()
            if user:
                self.client.force_login(user)
            found.append(getattr(self.client, method)(url).status_code)
        return found


class SuppressionListTest(SuppressionTestCase):
    def test_it_shows_reason_and_evidence(self) -> None:
        self.make(evidence={"text": "550 5.1.1 unknown", "campaign": "新茶フェア", "list": "青葉だより"})
        response = self.client.get(self.url)
        for said in ("taro@example.jp", "No such address", "550 5.1.1 unknown", "新茶フェア", "青葉だより"):
            self.assertContains(response, said)

    def test_it_says_who_did_it(self) -> None:
        self.make(created_by=self.bob, reason="manual")
        self.make("a@example.jp", "unsubscribed")
        self.make("b@example.jp", account=None)
        response = self.client.get(self.url)
        for said in ("bob", "The reader", "The operator"):
            self.assertContains(response, said)

    def test_it_says_until_when(self) -> None:
        self.make(retry_at=now() + timedelta(days=1), evidence={"text": "full", "days": ["2026-11-01", "2026-11-02"]})
        response = self.client.get(self.url)
        self.assertContains(response, "Then it is tried again")
        self.assertContains(response, "Failed on 2 days")

    def test_what_has_ended_says_so(self) -> None:
        self.make(retry_at=now())
        self.assertContains(self.client.get(self.url), "Has ended")

    def test_it_filters_by_reason_and_address(self) -> None:
        self.make()
        self.make("hanako@example.jp", "complaint")
        for query in ({"reason": "complaint"}, {"q": "HANAKO"}):
            with self.subTest(query):
                shown = self.client.get(self.url, query).context["suppressions"]
                self.assertEqual([one.address for one in shown], ["hanako@example.jp"])

    def test_it_is_of_one_account(self) -> None:
        self.make(account=self.other_account)
        self.assertNotContains(self.client.get(self.url), "taro@example.jp")

    def test_what_holds_for_all_can_be_seen_and_not_released(self) -> None:
        shared = self.make(account=None)
        response = self.client.get(self.url, {"reason": "shared"})
        self.assertEqual(list(response.context["suppressions"]), [shared])
        self.assertNotContains(response, self.release(shared))

    def test_htmx_gets_the_table_alone(self) -> None:
        response = self.client.get(self.url, headers={"HX-Request": "true"})
        self.assertTemplateNotUsed(response, "base.html")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_viewers_may_look(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.assertEqual(self.client.get(self.create).status_code, 403)


class FindingTest(SuppressionTestCase):
    def found(self, typed: str, **values: object) -> list[str]:
        with wall(self.account.pk):
            return [each.address for each in finding.find(self.account, typed, **values)]  # type: ignore[arg-type]

    def test_it_finds_a_part_of_an_address(self) -> None:
        self.make("Tanaka_100%@example.jp")
        for typed in ("tanaka", "ＴＡＮＡＫＡ", "0%@", "@example.jp", "ka_1", "k"):
            with self.subTest(typed):
                self.assertEqual(self.found(typed), ["Tanaka_100%@example.jp"])
        self.assertEqual(self.found("tanakax1"), [])

    def test_a_whole_address_finds_the_pattern_of_its_domain(self) -> None:
        self.make("*@example.jp")
        self.assertEqual(self.found("taro@example.jp"), ["*@example.jp"])

    def test_it_finds_what_holds_for_all_and_nothing_of_others(self) -> None:
        self.make("taro@example.jp", account=None)
        self.make("jiro@example.jp", account=self.other_account)
        self.assertEqual(self.found("example.jp"), ["taro@example.jp"])

    def test_pages_follow_one_another(self) -> None:
        made = [self.make(f"reader{n}@example.jp", account=self.account if n % 2 else None).pk for n in range(6)]
        for typed in ("", "reader", "er"):
            newest = self.found(typed, limit=3)
            older = self.found(typed, after=made[3], limit=3)
            self.assertEqual(newest + older, [f"reader{n}@example.jp" for n in (5, 4, 3, 2, 1, 0)])
            self.assertEqual(self.found(typed, before=made[2], limit=3), newest)

    def test_they_are_searched_by_the_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
            cursor.execute("EXPLAIN SELECT id FROM suppression s WHERE lower(address) LIKE '%%reader777@%%'")
            self.assertIn("suppression_trigrams", "\n".join(line for (line,) in cursor.fetchall()))


class SuppressionCreateTest(SuppressionTestCase):
    def test_it_saves_who_and_why(self) -> None:
        self.client.post(self.create, {"address": "ｔａｒｏ＠example.jp", "note": "電話で"})
        found = Suppression.objects.get()
        self.assertEqual((found.address, found.reason, found.created_by), ("taro@example.jp", "manual", self.bob))
        self.assertEqual(found.evidence, {"text": "電話で"})

    def test_it_takes_a_domain(self) -> None:
        for typed in ("example.jp", "@Example.JP", "*@example.jp"):
            with self.subTest(typed):
                self.client.post(self.create, {"address": typed})
                self.assertEqual(Suppression.objects.get().address, "*@example.jp")

    def test_it_saves_an_address_once(self) -> None:
        self.make()
        self.client.post(self.create, {"address": "taro@example.jp"})
        self.assertEqual(Suppression.objects.get().reason, "user_unknown")

    def test_it_makes_a_temporary_one_last(self) -> None:
        self.make(retry_at=now() + timedelta(days=1))
        self.client.post(self.create, {"address": "taro@example.jp"})
        found = Suppression.objects.get()
        self.assertEqual((found.reason, found.retry_at), ("manual", None))

    def test_it_refuses_a_bad_address(self) -> None:
        for address in ("", "taro@", "taro", "*@", "@jp"):
            with self.subTest(address):
                self.assertEqual(self.client.post(self.create, {"address": address}).status_code, 422)
                self.assertFalse(Suppression.objects.exists())

    def test_it_is_written_down(self) -> None:
        self.client.post(self.create, {"address": "taro@example.jp"})
        entry = AuditEntry.objects.get(action="suppression.add")
        self.assertEqual((entry.user, entry.about, entry.account), (self.bob, "taro@example.jp", self.account))


class SuppressionReleaseTest(SuppressionTestCase):
    def test_it_asks_first(self) -> None:
        self.assertContains(self.client.get(self.release(self.make())), "taro@example.jp")
        self.assertTrue(Suppression.objects.exists())

    def test_it_releases(self) -> None:
        self.assertRedirects(self.client.post(self.release(self.make())), self.url)
        self.assertFalse(Suppression.objects.exists())

    def test_it_is_written_down(self) -> None:
        self.client.post(self.release(self.make()))
        entry = AuditEntry.objects.get(action="suppression.release")
        self.assertEqual((entry.about, entry.details), ("taro@example.jp", {"reason": "user_unknown"}))

    def test_what_a_reader_asked_for_stays(self) -> None:
        for reason in ("unsubscribed", "complaint", "paused"):
            with self.subTest(reason):
                response = self.client.post(self.release(self.make(f"{reason}@example.jp", reason)))
                self.assertEqual(response.status_code, 404)
        self.assertEqual(Suppression.objects.count(), 3)

    def test_a_domain_is_an_owner_s_matter(self) -> None:
        pattern = self.make("*@example.jp", "manual")
        self.assertEqual(self.client.post(self.release(pattern)).status_code, 403)
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.post(self.release(pattern)), self.url)

    def test_strangers_get_404(self) -> None:
        suppression = self.make()
        self.client.force_login(self.charlie)
        self.assertEqual(self.client.post(self.release(suppression)).status_code, 404)
        self.assertTrue(Suppression.objects.exists())

    def test_what_holds_for_all_accounts_is_not_theirs(self) -> None:
        self.assertEqual(self.client.post(self.release(self.make(account=None))).status_code, 404)

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.post(self.release(self.make())).status_code, 403)


class SuppressionExportTest(SuppressionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.export = reverse("campaigns:suppression_export")

    def test_it_has_everything(self) -> None:
        told = {"text": "550 5.1.1 unknown", "campaign": "新茶フェア", "list": "青葉だより"}
        self.make(evidence=told, retry_at=now())
        self.make("jiro@example.jp", account=self.other_account)
        said = self.client.get(self.export, {"encoding": "cp932"}).getvalue().decode("cp932")
        heading, row, *rest = said.splitlines()
        self.assertTrue(heading.startswith("Address,Reason,Evidence"))
        self.assertTrue(row.startswith("taro@example.jp,No such address,550 5.1.1 unknown,新茶フェア,青葉だより,20"))
        self.assertEqual(rest, [])

    def test_it_asks_for_the_encoding(self) -> None:
        self.assertContains(self.client.get(self.export), "?encoding=cp932")
        self.assertEqual(self.client.get(self.export, {"encoding": "x"}).status_code, 422)

    def test_it_is_written_down(self) -> None:
        self.client.get(self.export, {"encoding": "utf-8"})
        self.assertEqual(AuditEntry.objects.get().action, "suppression.export")

    def test_it_requires_role(self) -> None:
        self.assertEqual(self.statuses(self.export), [403, 200, 302])


class ContactPagesTest(SuppressionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.contact = make_contact(self.account, address="taro@example.jp")

    def is_shown(self) -> tuple[bool, bool]:
        """Return whether the list and the page of the contact say that nothing is sent."""
        rows = self.client.get(reverse("campaigns:contact_list")).context["contacts"]
        page = self.client.get(reverse("campaigns:contact_detail", args=[self.contact.pk]))
        return rows[0]["is_suppressed"], "Nothing is sent" in page.content.decode()

    def test_they_show_an_address_a_domain_and_what_holds_for_all(self) -> None:
        for address, account in (
            ("taro@example.jp", self.account),
            ("*@example.jp", self.account),
            ("taro@example.jp", None),
        ):
            with self.subTest(address=address):
                suppression = self.make(address, account=account)
                self.assertEqual(self.is_shown(), (True, True))
                suppression.delete()

    def test_they_do_not_show_what_has_ended(self) -> None:
        self.make(retry_at=now())
        self.assertEqual(self.is_shown(), (False, False))
