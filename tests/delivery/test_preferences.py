from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from accounts.models import AuditEntry
from campaigns.models import Contact, MailingList, Subscription, Suppression
from campaigns.suppressions import rules
from delivery.models import Message, Unsubscribe
from mailsales import tokens
from mailsales.reasons import Reason
from tests.delivery.test_public_pages import PublicTestCase
from tests.make import make_list

CONFIRMED, LEFT = Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED


class PreferencesTestCase(PublicTestCase):
    """The reader is on 青葉だより, whose mail they have, and on 店舗の催し."""

    def setUp(self) -> None:
        super().setUp()
        self.events = make_list(self.account, name="店舗の催し", about="お茶会やセミナー")
        Subscription.objects.create(account=self.account, list=self.events, contact=self.contact, basis="card")

    def page(self) -> Any:
        return self.ask(self.path(), headers={"accept-language": "en"})

    def path(self) -> str:
        return f"{self.leave_path()}/preferences"

    def save(self, *lists: MailingList, pause: str = "", name: str = "佐藤 花子") -> Any:
        data = {"lists": [each.pk for each in lists], "pause": pause, "name": name}
        return self.ask(self.path(), method="post", data=data, headers={"accept-language": "en"})

    def subscription(self, mailing_list: MailingList) -> Subscription:
        return Subscription.objects.get(list=mailing_list, contact=self.contact)

    def suppressed(self, reason: Reason, days: int | None = None) -> None:
        retry_at = now() + timedelta(days=days) if days else None
        rules.suppress(self.account.pk, [self.contact.address], reason, {}, retry_at=retry_at)

    # -- the page ------------------------------------------------------------------------------

    def test_it_shows_the_reader_s_lists_and_no_other(self) -> None:
        make_list(self.account, name="社内")
        page = self.page()
        self.assertContains(page, "店舗の催し (お茶会やセミナー)")
        self.assertNotContains(page, "社内")

    def test_it_shows_no_whole_address(self) -> None:
        self.assertNotContains(self.page(), self.contact.address)

    def test_get_and_head_change_nothing(self) -> None:
        for method in ("get", "head"):
            path = f"{self.path()}?lists=&pause=30&name=x"
            self.assertEqual(self.ask(path, method=method).status_code, 200)
        self.assertEqual(Subscription.objects.of(self.account).confirmed().count(), 2)
        self.assertFalse(Suppression.objects.exists())

    def test_other_methods_are_not_allowed(self) -> None:
        self.assertEqual(self.ask(self.path(), method="put").status_code, 405)

    def test_a_bad_token_is_not_found(self) -> None:
        for method in ("get", "post"):
            self.assertEqual(self.ask("/u/AAAA/preferences", method=method).status_code, 404)

    def test_another_account_s_token_shows_nothing_of_ours(self) -> None:
        path = f"/u/{tokens.unsubscribe_token(self.other_account.pk, self.message.pk)}/preferences"
        self.assertEqual(self.ask(path, method="post", data={"name": "x"}).status_code, 404)

    def test_it_works_for_a_deleted_campaign(self) -> None:
        path = self.path()
        self.campaign.delete()
        self.assertContains(self.ask(path), "店舗の催し")

    def test_a_contact_who_was_deleted_has_nothing_to_choose(self) -> None:
        self.contact.delete()
        self.assertContains(self.page(), self.account.complaint_address, status_code=404)

    def test_it_is_kept_by_no_cache(self) -> None:
        self.assertIn("no-store", self.page()["Cache-Control"])

    # -- lists ---------------------------------------------------------------------------------

    def test_saving_is_answered_with_the_page(self) -> None:
        self.assertContains(self.save(self.list, self.events), "Your choices are saved.")

    def test_a_list_without_its_tick_is_left(self) -> None:
        self.save(self.events)
        self.assertEqual(self.subscription(self.list).status, LEFT)
        self.assertEqual(self.subscription(self.events).status, CONFIRMED)
        self.assertFalse(Suppression.objects.exists())

    def test_leaving_the_list_of_the_mail_is_counted_for_it(self) -> None:
        self.save(self.events)
        self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.PAGE)

    def test_leaving_another_list_is_not_counted_for_the_mail(self) -> None:
        self.save(self.list)
        self.assertEqual(self.subscription(self.events).status, LEFT)
        self.assertFalse(Unsubscribe.objects.exists())

    def test_leaving_the_last_list_is_leaving_everything(self) -> None:
        self.assertContains(self.save(), "You get no emails from us any more.")
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_a_tick_is_a_consent_and_is_written_down(self) -> None:
        self.save(self.list)
        self.save(self.list, self.events)
        found = self.subscription(self.events)
        self.assertEqual((found.status, found.basis, found.unsubscribed_at), (CONFIRMED, "consent", None))
        self.assertEqual(found.source, "受け取り設定のページ")
        entry = AuditEntry.objects.get(action="subscription.return")
        self.assertEqual((entry.details["lists"], entry.ip, entry.user), (["店舗の催し"], "127.0.0.1", None))

    def test_saving_again_changes_no_consent(self) -> None:
        self.save(self.list, self.events)
        self.assertEqual(self.subscription(self.events).basis, "card")
        self.assertFalse(AuditEntry.objects.exists())

    def test_a_list_that_the_reader_never_was_on_is_refused(self) -> None:
        other = make_list(self.account, name="社内")
        self.assertEqual(self.save(self.list, self.events, other).status_code, 422)
        self.assertFalse(Subscription.objects.filter(list=other).exists())

    def test_another_account_s_list_is_refused(self) -> None:
        self.assertEqual(self.save(make_list(self.other_account)).status_code, 422)
        self.assertEqual(self.subscription(self.list).status, CONFIRMED)

    def test_a_list_that_awaits_confirmation_is_confirmed_by_a_tick(self) -> None:
        Subscription.objects.filter(list=self.events).update(status=Subscription.Status.UNCONFIRMED)
        self.save(self.list)
        self.assertEqual(self.subscription(self.events).status, Subscription.Status.UNCONFIRMED)
        self.save(self.list, self.events)
        self.assertEqual(self.subscription(self.events).status, CONFIRMED)

    # -- coming back ---------------------------------------------------------------------------

    def test_who_left_everything_sees_no_tick(self) -> None:
        self.suppressed(Reason.UNSUBSCRIBED)
        self.assertNotContains(self.page(), "checked")
        self.assertContains(self.page(), "You unsubscribed from everything.")

    def test_who_left_everything_comes_back_by_a_tick(self) -> None:
        self.ask(self.leave_path(), method="post", data={"scope": "all"})
        self.save(self.events)
        self.assertFalse(Suppression.objects.exists())
        self.assertEqual(self.subscription(self.events).status, CONFIRMED)
        self.assertEqual(self.subscription(self.list).status, LEFT)

    def test_who_comes_back_lifts_no_entry_by_hand(self) -> None:
        rules.suppress(self.account.pk, [self.contact.address], Reason.MANUAL, {"text": "asked by phone"})
        self.ask(self.leave_path(), method="post", data={"scope": "all"})
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)
        self.save(self.list)
        self.assertEqual(
            Suppression.objects.values_list("reason", "evidence").get(), (Reason.MANUAL, {"text": "asked by phone"})
        )

    def test_saving_without_a_tick_brings_nobody_back(self) -> None:
        self.suppressed(Reason.UNSUBSCRIBED)
        self.save()
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_other_reasons_are_not_the_reader_s_to_lift(self) -> None:
        for reason in (Reason.COMPLAINT, Reason.MANUAL, Reason.USER_UNKNOWN):
            Suppression.objects.all().delete()
            self.suppressed(reason)
            self.save(self.list)
            self.save(self.list, self.events)
            self.assertEqual(Suppression.objects.get().reason, reason)

    def test_who_is_barred_reads_whom_to_ask(self) -> None:
        self.suppressed(Reason.COMPLAINT)
        self.assertContains(self.page(), f"please write to {self.account.complaint_address}")

    # -- a break -------------------------------------------------------------------------------

    def test_a_break_holds_all_mail_back_for_its_days(self) -> None:
        for days in (30, 90):
            self.save(self.list, self.events, pause=str(days))
            found = Suppression.objects.get()
            self.assertEqual((found.reason, found.address), (Reason.PAUSED, self.contact.address))
            assert found.retry_at
            self.assertAlmostEqual((found.retry_at - now()) / timedelta(days=1), days, places=2)

    def test_a_break_leaves_the_lists_as_they_are(self) -> None:
        self.save(self.list, self.events, pause="30")
        self.assertEqual(Subscription.objects.of(self.account).confirmed().count(), 2)

    def test_a_break_may_be_made_shorter(self) -> None:
        self.save(self.list, self.events, pause="90")
        self.save(self.list, self.events, pause="30")
        retry_at = Suppression.objects.get().retry_at
        assert retry_at
        self.assertLess(retry_at, now() + timedelta(days=31))

    def test_a_break_stays_when_other_things_are_saved(self) -> None:
        self.save(self.list, self.events, pause="30")
        before = Suppression.objects.get().retry_at
        self.save(self.list, self.events, name="花子")
        self.assertEqual(Suppression.objects.get().retry_at, before)

    def test_a_break_can_be_ended(self) -> None:
        self.save(self.list, self.events, pause="30")
        self.assertContains(self.page(), "End the break now")
        self.save(self.list, self.events, pause="0")
        self.assertFalse(Suppression.objects.exists())

    def test_a_break_weakens_nothing(self) -> None:
        self.suppressed(Reason.COMPLAINT)
        self.save(self.list, self.events, pause="30")
        self.save(self.list, self.events, pause="0")
        found = Suppression.objects.get()
        self.assertEqual((found.reason, found.retry_at), (Reason.COMPLAINT, None))

    def test_another_length_is_refused(self) -> None:
        self.assertEqual(self.save(self.events, pause="3650").status_code, 422)
        self.assertEqual(self.subscription(self.list).status, CONFIRMED)

    # -- the name ------------------------------------------------------------------------------

    def test_the_name_is_saved_on_one_line(self) -> None:
        self.save(self.list, self.events, name=" 佐藤\r\nBcc: x 花子 ")
        self.assertEqual(Contact.objects.get(pk=self.contact.pk).name, "佐藤 Bcc: x 花子")

    def test_a_name_that_is_too_long_is_refused_and_nothing_saved(self) -> None:
        self.assertEqual(self.save(name="花" * 201).status_code, 422)
        self.assertEqual(self.subscription(self.list).status, CONFIRMED)

    def test_the_token_of_any_mail_of_theirs_will_do(self) -> None:
        Message.objects.update(address="an.older@example.jp")
        self.save(self.events)
        self.assertEqual(self.subscription(self.list).status, LEFT)


class LanguageTestCase(PublicTestCase):
    def choose(self, language: str, back: str) -> Any:
        return self.ask(f"/l/{language}", method="post", data={"next": back})

    def test_the_browser_s_language_is_spoken_first(self) -> None:
        for header, word in (
            ("ja,en;q=0.5", "受け取る内容を選ぶ"),
            ("en-GB", "Choose what you receive"),
            ("fr", "受け取る"),
        ):
            page = self.ask(f"{self.leave_path()}/preferences", headers={"accept-language": header})
            self.assertContains(page, word)

    def test_a_chosen_language_is_kept_by_a_cookie(self) -> None:
        response = self.choose("en", self.leave_path())
        self.assertEqual((response.status_code, response["Location"]), (303, self.leave_path()))
        self.assertEqual(response.cookies["django_language"].value, "en")

    def test_every_page_offers_both(self) -> None:
        page = self.ask(self.leave_path())
        self.assertContains(page, 'action="/l/ja"')
        self.assertContains(page, 'action="/l/en"')

    def test_it_leads_to_no_other_site(self) -> None:
        for back in ("https://evil.example.com", "//evil.example.com", "", "javascript:alert(1)"):
            self.assertEqual(self.choose("en", back).status_code, 404)

    def test_an_unknown_language_is_not_found(self) -> None:
        self.assertEqual(self.choose("xx", "/").status_code, 404)

    def test_get_chooses_nothing(self) -> None:
        self.assertEqual(self.ask("/l/en").status_code, 405)
