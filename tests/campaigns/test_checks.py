from __future__ import annotations

from campaigns.drafts import BLOCKS, WARNS, audience_of, checks_of
from campaigns.models import Campaign, ContactField, Subscription, Suppression
from mailsales.reasons import Reason
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_sender


class ChecksTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.contact = make_contact(self.account, self.list)
        self.draft = make_campaign(
            self.account, list=self.list, sender=make_sender(self.account), subject="新茶", html="<p>こんにちは</p>"
        )

    def titles(self, state: object, **changes: object) -> list[str]:
        """Return the titles of the checks in this state, after changes of the draft."""
        Campaign.objects.filter(pk=self.draft.pk).update(**changes or {"name": "新茶"})
        draft = Campaign.objects.get(pk=self.draft.pk)
        return [str(check.title) for check in checks_of(draft, audience_of(draft)) if check.state is state]

    def test_nothing_stands_in_the_way(self) -> None:
        self.assertEqual(self.titles(BLOCKS) + self.titles(WARNS), [])

    def test_what_blocks(self) -> None:
        for changes, title in (
            ({"subject": " "}, "The subject is empty"),
            ({"html": "<p> </p>"}, "The body is empty"),
            ({"sender": None}, "There is no sender"),
            ({"list": None}, "There are no recipients"),
            ({"html": "<p>{{ name | }}</p>"}, "A merge tag is wrong"),
            ({"html": "<p>{{ kaisha }}</p>"}, "There is no field “kaisha”"),
        ):
            with self.subTest(title):
                self.assertIn(title, self.titles(BLOCKS, **changes))

    def test_a_missing_postal_address_blocks(self) -> None:
        self.account.postal_address = ""
        self.account.save()
        self.assertEqual(self.titles(BLOCKS), ["The sender’s postal address is missing"])

    def test_a_list_that_reaches_nobody_blocks(self) -> None:
        Subscription.objects.update(status=Subscription.Status.UNCONFIRMED)
        self.assertEqual(self.titles(BLOCKS), ["The list reaches nobody"])

    def test_a_body_that_is_one_picture_does_not(self) -> None:
        self.assertEqual(self.titles(BLOCKS, html='<img src="https://example.jp/a.png" alt="">'), [])

    def test_an_empty_name_warns(self) -> None:
        make_contact(self.account, self.list, address="a@example.jp", name="")
        self.assertEqual(self.titles(WARNS, html="<p>{{ name }}</p>"), ["“Name” is empty for 1 person"])

    def test_an_empty_field_of_the_account_warns(self) -> None:
        ContactField.objects.create(account=self.account, key="company", label="会社名")
        make_contact(self.account, self.list, address="a@example.jp", fields={"company": "みどり"})
        self.assertEqual(self.titles(WARNS, html="<p>{{ company }}</p>"), ["“会社名” is empty for 1 person"])

    def test_a_plain_link_warns(self) -> None:
        html = '<p><a href="http://example.jp/">新茶</a></p>'
        self.assertEqual(self.titles(WARNS, html=html), ["1 link is not encrypted"])

    def test_half_width_katakana_warns(self) -> None:
        self.assertEqual(self.titles(WARNS, subject="ｼﾝﾁｬ"), ["Half-width katakana"])


class AudienceTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.contacts = [make_contact(self.account, self.list, address=f"a{number}@example.jp") for number in range(3)]
        self.draft = make_campaign(self.account, list=self.list)

    def suppress(self, address: str, **fields: object) -> None:
        Suppression.objects.create(address=address, reason=Reason.USER_UNKNOWN, **fields)

    def test_it_counts_the_confirmed(self) -> None:
        self.assertEqual(audience_of(self.draft).total, 3)

    def test_it_leaves_out_who_left(self) -> None:
        self.contacts[0].subscriptions.update(status="unsubscribed", unsubscribed_at=self.contacts[0].created_at)
        self.assertEqual(audience_of(self.draft).total, 2)

    def test_it_leaves_out_the_accounts_suppressions(self) -> None:
        self.suppress("a0@example.jp", account=self.account)
        self.assertEqual(audience_of(self.draft).total, 2)

    def test_it_leaves_out_everybodys_suppressions(self) -> None:
        self.suppress("a0@example.jp")
        self.assertEqual(audience_of(self.draft).total, 2)

    def test_suppressions_of_others_do_not_count(self) -> None:
        self.suppress("a0@example.jp", account=self.other_account)
        self.assertEqual(audience_of(self.draft).total, 3)

    def test_no_list_reaches_nobody(self) -> None:
        self.draft.list = None
        self.assertEqual(audience_of(self.draft).total, 0)
