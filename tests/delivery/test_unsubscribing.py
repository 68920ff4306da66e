from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client, TransactionTestCase, override_settings
from django.utils.timezone import now

from accounts.models import Account
from campaigns.models import MailingList, Subscription, Suppression
from campaigns.suppressions import rules
from delivery.models import GoneMessage, Message, Unsubscribe
from mailsales import tokens
from mailsales.management.erasing import erase
from mailsales.reasons import Reason
from mailsales.wall import wall
from tests.delivery.test_public_pages import PublicTestCase
from tests.make import make_campaign, make_contact, make_list, make_message

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
WRONG_BODIES = [
    ("application/json", '{"scope": "all"}'),
    ("application/x-www-form-urlencoded", "List-Unsubscribe=No"),
    ("application/x-www-form-urlencoded", "scope=everything"),
    ("text/plain", "x"),
    ("multipart/form-data; boundary=x", "--x broken"),
    ("multipart/form-data", "--x broken"),
]


class LeavingTestCase(PublicTestCase):
    def leave(self, **values: Any) -> HttpResponse:
        response: HttpResponse = self.ask(self.leave_path(), method="post", **values)
        return response

    def one_click(self) -> HttpResponse:
        return self.leave(data=ONE_CLICK)

    def subscription(self, mailing_list: MailingList | None = None) -> Subscription:
        return Subscription.objects.get(list=mailing_list or self.list, contact=self.contact)

    def join(self, mailing_list: MailingList) -> None:
        Subscription.objects.create(account=self.account, list=mailing_list, contact=self.contact, basis="consent")


class UnsubscribeTestCase(LeavingTestCase):
    def test_get_and_head_change_nothing(self) -> None:
        for method in ("get", "head"):
            self.assertEqual(self.ask(self.leave_path(), method=method).status_code, 200)
        self.assertEqual(self.subscription().status, Subscription.Status.CONFIRMED)
        self.assertFalse(Unsubscribe.objects.exists() or Suppression.objects.exists())

    def test_the_page_has_a_button_and_hides_the_address(self) -> None:
        page = self.ask(self.leave_path(), headers={"accept-language": "en"}).content.decode()
        self.assertIn('method="post"', page)
        self.assertNotIn(self.contact.address, page)
        self.assertIn("ha••", page)

    def test_the_reader_s_browser_picks_the_language(self) -> None:
        japanese = self.ask(self.leave_path(), headers={"accept-language": "ja"}).content.decode()
        english = self.ask(self.leave_path(), headers={"accept-language": "en-GB"}).content.decode()
        self.assertIn('<html lang="ja">', japanese)
        self.assertIn('<html lang="en">', english)

    def test_one_click_needs_no_cookie(self) -> None:
        with wall(None):
            client = Client(enforce_csrf_checks=True)
            response = client.post(self.leave_path(), ONE_CLICK)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.subscription().status, Subscription.Status.UNSUBSCRIBED)
        self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.ONE_CLICK)

    def test_one_click_comes_in_either_form(self) -> None:
        for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            body = "List-Unsubscribe=One-Click"
            if content_type.startswith("multipart"):
                body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
            self.assertEqual(self.leave(data=body, content_type=content_type).status_code, 200)
        self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.ONE_CLICK)

    def test_the_button_of_the_page_works(self) -> None:
        self.assertContains(self.leave(headers={"accept-language": "en"}), "You have been unsubscribed")
        self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.PAGE)

    def test_the_address_is_suppressed_with_the_evidence(self) -> None:
        self.leave()
        found = Suppression.objects.get()
        self.assertEqual(
            (found.account, found.address, found.reason), (self.account, self.contact.address, "unsubscribed")
        )
        self.assertEqual((found.evidence["list"], found.evidence["campaign"]), (self.list.name, self.campaign.name))

    def test_a_second_time_changes_nothing(self) -> None:
        self.leave()
        first = self.subscription().unsubscribed_at
        self.assertEqual(self.leave().status_code, 200)
        self.assertEqual((self.subscription().unsubscribed_at, Unsubscribe.objects.count()), (first, 1))

    def test_another_account_s_list_is_untouched(self) -> None:
        theirs = make_contact(self.other_account, make_list(self.other_account))
        self.leave()
        self.assertEqual(Subscription.objects.get(contact=theirs).status, Subscription.Status.CONFIRMED)

    def test_a_mail_without_a_record_says_whom_to_ask(self) -> None:
        path = self.leave_path()
        Message.objects.all().delete()
        GoneMessage.objects.all().delete()
        response = self.ask(path, headers={"accept-language": "en"})
        self.assertContains(response, self.account.complaint_address, status_code=404)

    def test_a_bad_token_is_not_found(self) -> None:
        for method in ("get", "post"):
            self.assertEqual(self.ask("/u/AAAA", method=method).status_code, 404)
        self.assertEqual(self.ask("/u/AAAA/reason", method="post").status_code, 404)

    def test_a_removed_account_is_no_fault(self) -> None:
        path = f"/u/{tokens.unsubscribe_token(4_000_000, 1)}"
        for address in (path, f"{path}/reason"):
            self.assertEqual(self.ask(address, method="post").status_code, 404)

    def test_the_reason_is_asked_afterwards(self) -> None:
        self.leave()
        self.assertEqual(
            self.ask(f"{self.leave_path()}/reason", method="post", data={"reason": "too_many"}).status_code, 200
        )
        self.assertEqual(Unsubscribe.objects.get().why, "too_many")

    def test_a_reason_that_is_none_is_refused(self) -> None:
        self.leave()
        response = self.ask(f"{self.leave_path()}/reason", method="post", data={"reason": "x"})
        self.assertEqual((response.status_code, Unsubscribe.objects.get().why), (422, ""))

    def test_links_of_a_test_copy_explain_themselves(self) -> None:
        for path in ("/u/test", "/v/test"):
            self.assertContains(self.ask(path, headers={"accept-language": "en"}), "This was a test email")

    def test_one_click_leaves_the_list_of_the_mail_alone(self) -> None:
        events = make_list(self.account, name="店舗の催し")
        self.join(events)
        self.one_click()
        self.assertEqual(self.subscription().status, Subscription.Status.UNSUBSCRIBED)
        self.assertEqual(self.subscription(events).status, Subscription.Status.CONFIRMED)
        self.assertFalse(Suppression.objects.exists())

    def test_who_leaves_the_last_list_is_mailed_by_no_later_one(self) -> None:
        self.one_click()
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_who_is_on_the_list_no_more_but_on_another_leaves_everything(self) -> None:
        self.join(make_list(self.account, name="店舗の催し"))
        Subscription.objects.filter(list=self.list).delete()
        self.one_click()
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_a_button_stops_all_emails(self) -> None:
        events = make_list(self.account, name="店舗の催し")
        self.join(events)
        self.leave(data={"scope": "all"})
        self.assertFalse(Subscription.objects.of(self.account).confirmed().exists())
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_the_page_offers_this_list_and_all_emails(self) -> None:
        page = self.ask(self.leave_path(), headers={"accept-language": "en"})
        self.assertContains(page, "We will stop sending “青葉だより”")
        self.assertContains(page, 'name="scope" value="list"')
        self.assertContains(page, 'name="scope" value="all"')

    def test_who_left_the_list_is_offered_all_emails_alone(self) -> None:
        self.join(make_list(self.account, name="店舗の催し"))
        self.one_click()
        page = self.ask(self.leave_path())
        self.assertNotContains(page, 'value="list"')
        self.assertContains(page, 'value="all"')

    def test_who_left_everything_is_asked_no_more(self) -> None:
        self.leave(data={"scope": "all"})
        page = self.ask(self.leave_path(), headers={"accept-language": "en"})
        self.assertContains(page, "You have been unsubscribed")
        self.assertNotContains(page, 'name="scope"')

    def test_a_reason_is_asked_for_the_mail_that_was_used_alone(self) -> None:
        self.one_click()
        later = self.sent(make_contact(self.account, address="taro@example.jp"), ago=timedelta(minutes=1))
        Message.objects.filter(pk=later.pk).update(contact=None, address=self.contact.address)
        page = self.ask(f"/u/{tokens.unsubscribe_token(self.account.pk, later.pk)}")
        self.assertNotContains(page, 'name="reason"')

    def test_a_break_gives_way_to_a_refusal(self) -> None:
        rules.suppress(self.account.pk, [self.contact.address], Reason.PAUSED, {}, retry_at=now() + timedelta(days=30))
        self.one_click()
        found = Suppression.objects.get()
        self.assertEqual((found.reason, found.retry_at), (Reason.UNSUBSCRIBED, None))

    def test_what_a_scanner_may_try_changes_nothing(self) -> None:
        for method in ("get", "head", "options", "put", "delete", "patch"):
            self.ask(self.leave_path(), method=method, agent="Barracuda Sentinel (EE)")
        for content_type, body in WRONG_BODIES:
            response = self.leave(data=body, content_type=content_type)
            self.assertEqual(response.status_code, 422, body)
        self.assertFalse(Unsubscribe.objects.exists() or Suppression.objects.exists())

    def test_options_and_other_methods_are_not_allowed(self) -> None:
        for method in ("options", "put", "delete"):
            self.assertEqual(self.ask(self.leave_path(), method=method).status_code, 405)

    def test_one_click_under_a_wrong_type_is_understood(self) -> None:
        for content_type in ("text/plain", "multipart/form-data", "application/octet-stream"):
            Unsubscribe.objects.all().delete()
            self.leave(data="List-Unsubscribe=One-Click", content_type=content_type)
            self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.ONE_CLICK, content_type)

    def test_one_click_is_answered_without_a_redirect_or_a_cookie(self) -> None:
        response = self.one_click()
        self.assertEqual((response.status_code, response.cookies), (200, {}))
        self.assertFalse(response.has_header("Location"))

    def test_a_token_of_an_old_key_still_works(self) -> None:
        path = self.leave_path()
        with override_settings(SECRET_KEY="the new one", SECRET_KEY_FALLBACKS=["another", settings.SECRET_KEY]):
            self.assertEqual(self.ask(path, method="post", data=ONE_CLICK).status_code, 200)
        self.assertEqual(self.subscription().status, Subscription.Status.UNSUBSCRIBED)

    def test_a_token_of_a_key_that_was_given_up_is_dead(self) -> None:
        path = self.leave_path()
        with override_settings(SECRET_KEY="the new one", SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(self.ask(path, method="post", data=ONE_CLICK).status_code, 404)

    def test_another_account_s_token_finds_no_message_of_ours(self) -> None:
        path = f"/u/{tokens.unsubscribe_token(self.other_account.pk, self.message.pk)}"
        self.assertEqual(self.ask(path, method="post", data=ONE_CLICK).status_code, 404)
        self.assertEqual(self.subscription().status, Subscription.Status.CONFIRMED)

    def test_tokens_of_other_kinds_are_none(self) -> None:
        for make in (tokens.open_token, tokens.view_token, tokens.change_token):
            path = f"/u/{make(self.account.pk, self.message.pk)}"
            self.assertEqual(self.ask(path, method="post", data=ONE_CLICK).status_code, 404)

    def test_the_reason_is_never_asked_before(self) -> None:
        self.assertNotContains(self.ask(self.leave_path()), 'name="reason"')
        self.assertContains(self.one_click(), 'name="reason"')

    def test_no_reason_need_be_given(self) -> None:
        self.assertEqual(self.one_click().status_code, 200)
        self.assertEqual(Unsubscribe.objects.get().why, "")

    def test_a_contact_who_was_deleted_still_unsubscribes(self) -> None:
        self.contact.delete()
        self.one_click()
        self.assertEqual(Suppression.objects.get().address, "hanako.sato@example.jp")

    def test_a_contact_who_was_entered_anew_is_found_by_the_address(self) -> None:
        self.contact.delete()
        self.contact = make_contact(self.account, self.list)
        self.one_click()
        self.assertEqual(self.subscription().status, Subscription.Status.UNSUBSCRIBED)

    def test_who_was_erased_is_nobody(self) -> None:
        self.contact.delete()
        Message.objects.update(address="")
        self.assertEqual(self.one_click().status_code, 404)
        self.assertFalse(Suppression.objects.exists())


class DeletedTestCase(LeavingTestCase):
    """The mail is in the reader's folder still; here its campaign was deleted."""

    def test_one_click_works(self) -> None:
        self.campaign.delete()
        self.assertEqual(self.one_click().status_code, 200)
        self.assertEqual(self.subscription().status, Subscription.Status.UNSUBSCRIBED)
        self.assertEqual(Suppression.objects.get().reason, Reason.UNSUBSCRIBED)

    def test_it_leaves_the_same_list_as_before(self) -> None:
        events = make_list(self.account, name="店舗の催し")
        self.join(events)
        self.campaign.delete()
        self.one_click()
        self.assertEqual(self.subscription(events).status, Subscription.Status.CONFIRMED)

    def test_when_the_list_is_gone_too_the_reader_leaves_everything(self) -> None:
        events = make_list(self.account, name="店舗の催し")
        self.join(events)
        self.campaign.delete()
        self.list.delete()
        self.one_click()
        self.assertEqual(Suppression.objects.get().address, self.contact.address)

    def test_the_page_works(self) -> None:
        Message.objects.all().delete()
        self.assertContains(self.ask(self.leave_path()), "青葉だより")
        self.assertContains(self.leave(data={"scope": "all"}, headers={"accept-language": "en"}), "no longer")

    def test_a_reason_that_could_not_be_kept_is_not_asked(self) -> None:
        self.campaign.delete()
        self.assertNotContains(self.one_click(), 'name="reason"')

    def test_what_never_went_out_leaves_no_trace(self) -> None:
        Message.objects.update(status="cancelled")
        self.campaign.delete()
        self.assertFalse(GoneMessage.objects.exists())

    def test_the_account_takes_the_traces_with_it(self) -> None:
        self.campaign.delete()
        erase(self.account.pk)
        self.assertFalse(GoneMessage.objects.exists())

    def test_the_account_takes_the_traces_of_this_moment_with_it(self) -> None:
        erase(self.account.pk)
        self.assertFalse(GoneMessage.objects.exists() or Account.objects.filter(pk=self.account.pk).exists())

    def test_the_web_process_may_leave_traces(self) -> None:
        with wall(self.account.pk):
            Message.objects.all().delete()
        self.assertEqual(GoneMessage.objects.get().address, self.contact.address)


class AtOnceTestCase(TransactionTestCase):
    """Mail programs and their servers may all press at the same moment."""

    def test_ten_at_once_are_one(self) -> None:
        account = Account.objects.create(name="株式会社青葉商店")
        mailing_list = make_list(account)
        contact = make_contact(account, mailing_list)
        message = make_message(make_campaign(account, list=mailing_list), contact, status="sent")
        path = f"/u/{tokens.unsubscribe_token(account.pk, message.pk)}"
        with ThreadPoolExecutor(10) as pool:
            answers = [pool.submit(self.press, path) for _ in range(10)]
        self.assertEqual({answer.result() for answer in answers}, {200})
        self.assertEqual((Unsubscribe.objects.count(), Suppression.objects.count()), (1, 1))
        self.assertEqual(Subscription.objects.get().status, Subscription.Status.UNSUBSCRIBED)

    @staticmethod
    def press(path: str) -> int:
        try:
            return Client().post(path, ONE_CLICK).status_code
        finally:
            connection.close()
