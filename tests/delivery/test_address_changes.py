from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.test import override_settings
from django.utils.timezone import now

from accounts.models import AuditEntry, Notice
from campaigns.models import AddressChange, Contact, Subscription, Suppression
from campaigns.suppressions import rules
from mailsales import tokens
from mailsales.reasons import Reason
from tests.delivery.test_public_pages import PublicTestCase
from tests.make import make_contact, make_list

NEW = "h.sato@new.example.jp"
CONFIRMED, LEFT = Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED
ENGLISH = {"accept-language": "en"}


class ChangeTestCase(PublicTestCase):
    def wish(self, address: str = NEW, **values: Any) -> Any:
        path = f"{self.leave_path()}/address"
        return self.ask(path, method="post", data={"address": address}, headers=ENGLISH, **values)

    def confirm(self, method: str = "post") -> Any:
        change = AddressChange.objects.latest("pk")
        return self.ask(f"/a/{tokens.change_token(self.account.pk, change.pk)}", method=method, headers=ENGLISH)

    def moved(self) -> Contact:
        self.wish()
        self.confirm()
        return Contact.objects.get(pk=self.contact.pk)

    def suppressed(self, address: str, reason: Reason, days: int | None = None) -> None:
        retry_at = now() + timedelta(days=days) if days else None
        rules.suppress(self.account.pk, [address], reason, {}, retry_at=retry_at)


class WishTestCase(ChangeTestCase):
    def test_the_page_asks_for_the_new_address(self) -> None:
        self.assertContains(self.ask(f"{self.leave_path()}/address"), 'name="address"')

    def test_nothing_changes_until_it_is_confirmed(self) -> None:
        self.assertContains(self.wish(), NEW)
        self.assertEqual(Contact.objects.get(pk=self.contact.pk).address, self.contact.address)

    def test_the_new_address_gets_a_mail_with_the_link(self) -> None:
        with override_settings(TRACKING_URL="https://go.example.jp"):
            self.wish()
        notice = Notice.objects.get()
        self.assertEqual((notice.address, notice.account), (NEW, self.account))
        self.assertIn(self.account.name, notice.subject)
        self.assertRegex(notice.text, r"https://go\.example\.jp/a/[\w-]+\n")

    def test_the_link_of_the_mail_confirms(self) -> None:
        self.wish()
        found = re.search(r"/a/[\w-]+", Notice.objects.get().text)
        assert found
        self.assertEqual(self.ask(found[0], method="post").status_code, 200)
        self.assertEqual(Contact.objects.get(pk=self.contact.pk).address, NEW)

    def test_the_mail_is_in_the_reader_s_language(self) -> None:
        self.ask(
            f"{self.leave_path()}/address", method="post", data={"address": NEW}, headers={"accept-language": "ja"}
        )
        self.assertIn("確認", Notice.objects.get().subject)

    def test_what_is_no_address_is_refused(self) -> None:
        for typed in ("", "x", "a@b", f"{'x' * 250}@example.jp", "a@example.jp\r\nBcc: b@example.jp"):
            self.assertEqual(self.wish(typed).status_code, 422)
        self.assertFalse(AddressChange.objects.exists() or Notice.objects.exists())

    def test_get_and_head_ask_for_nothing(self) -> None:
        for method in ("get", "head"):
            self.ask(f"{self.leave_path()}/address?address={NEW}", method=method)
        self.assertFalse(AddressChange.objects.exists())

    def test_every_address_is_answered_alike(self) -> None:
        make_contact(self.account, address="known@example.jp")
        self.suppressed("no@example.jp", Reason.COMPLAINT)
        answers = [
            self.wish(address).content.decode().replace(address, "…")
            for address in (NEW, "known@example.jp", "no@example.jp")
        ]
        self.assertEqual(len(set(answers)), 1)

    def test_who_refused_our_mail_gets_none(self) -> None:
        for reason in (Reason.COMPLAINT, Reason.UNSUBSCRIBED, Reason.MANUAL):
            AddressChange.objects.all().delete()
            self.suppressed(NEW, reason)
            self.wish()
        self.assertFalse(Notice.objects.exists())

    def test_a_domain_that_refused_our_mail_gets_none(self) -> None:
        self.suppressed("*@new.example.jp", Reason.MANUAL)
        self.wish()
        self.assertFalse(Notice.objects.exists())

    def test_the_present_address_is_asked_nothing(self) -> None:
        self.wish(self.contact.address)
        self.assertFalse(Notice.objects.exists())

    def test_nobody_wishes_without_end(self) -> None:
        answers = [self.wish(f"{number}@new.example.jp").status_code for number in range(4)]
        self.assertEqual(answers, [200, 200, 200, 422])
        self.assertEqual(Notice.objects.count(), 3)

    def test_one_address_is_not_flooded_by_many(self) -> None:
        for number in range(5):
            other = make_contact(self.account, address=f"{number}@example.jp")
            AddressChange.objects.create(account=self.account, contact=other, address=NEW)
        self.assertEqual(self.wish().status_code, 200)
        self.assertFalse(Notice.objects.exists())

    def test_a_bad_token_is_not_found(self) -> None:
        self.assertEqual(self.ask("/u/AAAA/address", method="post", data={"address": NEW}).status_code, 404)


class ConfirmTestCase(ChangeTestCase):
    def test_get_and_head_show_a_button_and_change_nothing(self) -> None:
        self.wish()
        for method in ("get", "head"):
            self.assertEqual(self.confirm(method).status_code, 200)
        self.assertContains(self.confirm("get"), "Use this address")
        self.assertEqual(Contact.objects.get(pk=self.contact.pk).address, self.contact.address)

    def test_the_contact_moves_with_its_lists(self) -> None:
        contact = self.moved()
        self.assertEqual((contact.address, contact.destination.name), (NEW, "new.example.jp"))
        self.assertEqual(Subscription.objects.get(contact=contact).status, CONFIRMED)

    def test_the_old_address_is_no_contact_any_more(self) -> None:
        self.moved()
        self.assertFalse(Contact.objects.filter(address=self.contact.address).exists())

    def test_the_old_address_is_told(self) -> None:
        self.moved()
        told = Notice.objects.get(address=self.contact.address)
        self.assertIn("h.••••@new.example.jp", told.text)

    def test_an_old_address_that_gets_no_mail_is_not_told(self) -> None:
        self.suppressed(self.contact.address, Reason.USER_UNKNOWN)
        self.moved()
        self.assertFalse(Notice.objects.filter(address=self.contact.address).exists())

    def test_it_is_written_down(self) -> None:
        self.moved()
        entry = AuditEntry.objects.get(action="contact.move")
        self.assertEqual((entry.about, entry.details["old"]), (NEW, self.contact.address))

    def test_a_second_time_changes_nothing(self) -> None:
        self.moved()
        self.assertEqual(self.confirm().status_code, 200)
        self.assertEqual(AuditEntry.objects.count(), 1)

    def test_after_three_days_it_is_too_late(self) -> None:
        self.wish()
        AddressChange.objects.update(created_at=now() - timedelta(days=3, minutes=1))
        self.assertContains(self.confirm(), "no longer valid", status_code=404)
        self.assertEqual(Contact.objects.get(pk=self.contact.pk).address, self.contact.address)

    def test_an_old_confirmation_says_nothing_that_is_no_more(self) -> None:
        self.moved()
        Contact.objects.filter(pk=self.contact.pk).update(address="later@example.jp")
        self.assertEqual(self.confirm("get").status_code, 404)

    def test_a_bad_token_is_not_found(self) -> None:
        for method in ("get", "post"):
            self.assertEqual(self.ask("/a/AAAA", method=method).status_code, 404)
        self.assertEqual(self.ask(f"/a/{tokens.change_token(4_000_000, 1)}").status_code, 404)

    def test_who_refuses_meanwhile_is_not_moved_to(self) -> None:
        self.wish()
        self.suppressed(NEW, Reason.COMPLAINT)
        self.assertEqual(self.confirm().status_code, 404)

    def test_another_account_s_token_moves_nobody(self) -> None:
        self.wish()
        path = f"/a/{tokens.change_token(self.other_account.pk, AddressChange.objects.get().pk)}"
        self.assertEqual(self.ask(path, method="post").status_code, 404)

    def test_the_mail_of_before_still_unsubscribes(self) -> None:
        contact = self.moved()
        self.ask(self.leave_path(), method="post", data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(Subscription.objects.get(contact=contact).status, LEFT)
        self.assertEqual({each.address for each in Suppression.objects.all()}, {NEW, self.contact.address})

    def test_what_the_reader_refused_goes_with_them(self) -> None:
        self.suppressed(self.contact.address, Reason.PAUSED, days=30)
        self.moved()
        self.assertEqual(Suppression.objects.get(address=NEW).reason, Reason.PAUSED)

    def test_what_a_mailbox_refused_stays_with_it(self) -> None:
        self.suppressed(self.contact.address, Reason.USER_UNKNOWN)
        self.moved()
        self.assertFalse(Suppression.objects.filter(address=NEW).exists())


class JoinTestCase(ChangeTestCase):
    """There is a contact with the new address already."""

    def setUp(self) -> None:
        super().setUp()
        self.events = make_list(self.account, name="店舗の催し")
        self.other = make_contact(self.account, self.events, address=NEW, name="花子", fields={"company": "みどり旅館"})

    def test_both_become_one(self) -> None:
        contact = self.moved()
        self.assertEqual(list(Contact.objects.of(self.account)), [contact])
        self.assertEqual((contact.address, contact.name), (NEW, "佐藤 花子"))
        self.assertEqual(contact.fields, {"company": "みどり旅館"})

    def test_the_lists_of_both_are_kept(self) -> None:
        contact = self.moved()
        confirmed = Subscription.objects.filter(contact=contact).confirmed()
        self.assertEqual({each.list_id for each in confirmed}, {self.list.pk, self.events.pk})

    def test_a_list_that_either_had_left_is_left(self) -> None:
        Subscription.objects.create(
            account=self.account,
            list=self.list,
            contact=self.other,
            basis="consent",
            status=LEFT,
            unsubscribed_at=now(),
        )
        contact = self.moved()
        self.assertEqual(Subscription.objects.get(list=self.list, contact=contact).status, LEFT)

    def test_the_other_s_mails_find_who_they_became(self) -> None:
        theirs = self.sent(self.other, ago=timedelta(hours=2))
        contact = self.moved()
        path = f"/u/{tokens.unsubscribe_token(self.account.pk, theirs.pk)}"
        self.ask(path, method="post", data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(Subscription.objects.get(list=self.list, contact=contact).status, LEFT)

    def test_another_account_s_contact_is_nobody_here(self) -> None:
        theirs = make_contact(self.other_account, address="same@example.jp")
        self.wish("same@example.jp")
        self.confirm()
        self.assertTrue(Contact.objects.filter(pk=theirs.pk).exists())
