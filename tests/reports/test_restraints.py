from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import override

from accounts.models import Domain
from campaigns.models import Campaign, Destination
from delivery.models import DestinationGroup, Installation, Throttle, WarmupDay
from mailsales.reasons import Reason
from mailsales.wall import wall
from reports.restraints import restraints, words_of
from tests.reports.test_reports import ReportTestCase

DOCOMO = "mfsmax.docomo.ne.jp"
BUSY = "4.7.0 <hanako@docomo.ne.jp>: too many connections"


class RestraintTestCase(ReportTestCase):
    """The campaign is being sent to the servers of its recipients: two wait at docomo, one at a company."""

    def setUp(self) -> None:
        super().setUp()
        self.account.route = "mx"
        self.account.save()
        Campaign.objects.filter(pk=self.campaign.pk).update(status=Campaign.Status.SENDING, closed_at=None)
        for address in ("a@docomo.ne.jp", "b@docomo.ne.jp", "c@corp.example.com"):
            self.message(address, status="queued")
        self.count()
        self.goes("docomo.ne.jp", "docomo", DOCOMO)
        self.goes("corp.example.com", "mx.corp.example.com", "mx.corp.example.com")

    def goes(self, domain: str, group: str, site: str) -> None:
        DestinationGroup.objects.create(destination=Destination.objects.get(name=domain), group=group, site=site)

    def throttle(self, **fields: Any) -> Throttle:
        values: dict[str, Any] = {"route": "mx", "scope": "docomo", "until": now() + timedelta(minutes=2, seconds=30)}
        values |= {"code": 421, "text": BUSY, "made_by": Throttle.Maker.RULE}
        return Throttle.objects.create(**values | fields)

    def page(self) -> Any:
        return self.ask("campaign_report", self.campaign.pk, **{"HX-Request": "true"})

    def lane(self, name: str) -> dict[str, Any]:
        (found,) = (lane for lane in self.page().context["lanes"] if str(lane["name"]) == name)
        return dict(found)


class FindingTest(RestraintTestCase):
    def found(self) -> list[tuple[str, int]]:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        with wall(self.account.pk):
            return [(each.name, each.count) for each in restraints(campaign)]

    def test_a_group_is_held_back_with_all_that_waits_there(self) -> None:
        self.throttle()
        self.assertEqual(self.found(), [("docomo", 2)])

    def test_so_is_a_site(self) -> None:
        self.throttle(scope="mx.corp.example.com")
        self.assertEqual(self.found(), [("corp.example.com", 1)])

    def test_what_has_ended_holds_nothing_back(self) -> None:
        self.throttle(until=now())
        self.assertEqual(self.found(), [])

    def test_another_route_is_not_concerned(self) -> None:
        self.throttle(route="mx 203.0.113.5")
        self.assertEqual(self.found(), [])

    def test_what_nobody_waits_for_is_not_shown(self) -> None:
        self.goes("gmail.com", "google", "gmail-smtp-in.l.google.com")
        self.throttle(scope="google")
        self.assertEqual(self.found(), [])

    def test_a_paused_campaign_is_held_back_by_its_people(self) -> None:
        self.throttle()
        Campaign.objects.filter(pk=self.campaign.pk).update(status=Campaign.Status.PAUSED)
        self.assertEqual(self.found(), [])

    def test_the_one_way_out_holds_back_everything(self) -> None:
        self.account.route = "smtp://relay.example.jp"
        self.account.save()
        self.throttle(
            route="relay relay.example.jp:25", scope="relay relay.example.jp:25", code=454, text="4.7.0 later"
        )
        self.assertContains(self.page(), "The sending server: Goes on in 3 minutes.")


class PageTest(RestraintTestCase):
    def test_it_says_until_when_and_why(self) -> None:
        self.throttle()
        page = self.page()
        self.assertContains(page, "Goes on in 3 minutes. The server limits how much it takes:")
        self.assertContains(page, "421 4.7.0 &lt;…@docomo.ne.jp&gt;: too many connections")

    def test_it_promises_nothing_meanwhile(self) -> None:
        self.assertEqual(self.lane("docomo")["text"], "The next ones follow at once.")
        self.throttle()
        self.assertEqual(self.lane("docomo")["text"], "")

    def test_it_names_nobody(self) -> None:
        self.throttle()
        self.assertNotContains(self.page(), "hanako@")

    def test_what_is_held_back_stands_first(self) -> None:
        self.throttle(scope="mx.corp.example.com")
        self.assertTrue(self.page().context["lanes"][0]["restraints"])

    def test_a_place_of_which_only_part_waits_names_it(self) -> None:
        self.message("d@other.example.net", status="queued")
        self.count()
        self.throttle(scope="mx.corp.example.com", made_by=Throttle.Maker.FAILURE, code=0, text="Connection refused")
        held = [each for lane in self.page().context["lanes"] for each in lane["restraints"]]
        self.assertEqual([each.reply for each in held], ["Connection refused"])

    def test_a_stop_is_told_from_going_slowly(self) -> None:
        throttle = self.throttle()
        self.assertEqual(str(self.lane("docomo")["state"].label), "Held back")
        Throttle.objects.filter(pk=throttle.pk).update(rate=0.5)
        self.assertEqual(str(self.lane("docomo")["state"].label), "Slowed down")

    def test_no_end_is_promised_while_something_is_held_back(self) -> None:
        self.throttle()
        self.assertContains(self.page(), "When what is held back goes on")

    def test_a_held_installation_says_so(self) -> None:
        self.assertNotContains(self.page(), "The whole installation is on hold")
        Installation.objects.update(held_at=now())
        self.assertContains(self.page(), "The whole installation is on hold")


class WarmingUpTest(RestraintTestCase):
    def warm_up(self, used: int) -> None:
        today = timezone.localdate()
        Domain.objects.update(warmup_started_on=today, warmup_first=50)
        domain = Domain.objects.get()
        WarmupDay.objects.create(domain=domain, provider="docomo", on=today, cap=50, used=used)

    def test_what_goes_tomorrow_says_so(self) -> None:
        self.warm_up(used=50)
        text = "aoba.example.jp is warming up: the 50 emails that may go there today are sent. The rest goes tomorrow."
        self.assertEqual([each.text for each in self.lane("docomo")["restraints"]], [text])
        self.assertEqual(self.lane("corp.example.com")["restraints"], [])

    def test_what_still_may_go_today_is_not_held_back(self) -> None:
        self.warm_up(used=49)
        self.assertEqual(self.lane("docomo")["restraints"], [])


class WordsTest(RestraintTestCase):
    def said(self, language: str = "en", **fields: Any) -> str:
        with override(language):
            return words_of(self.throttle(**fields)).text

    def test_they_are_japanese_too(self) -> None:
        self.assertEqual(self.said("ja"), "3分後に再開します。流量制限の応答：")

    def test_another_reason_is_named(self) -> None:
        self.assertIn("(Refused for the sender’s reputation)", self.said(reason=Reason.BLOCKED))

    def test_no_connection_is_tried_again(self) -> None:
        self.assertIn("cannot be reached", self.said(made_by=Throttle.Maker.FAILURE, code=0))

    def test_an_operator_may_say_why(self) -> None:
        self.assertIn("(moving house)", self.said(made_by=Throttle.Maker.PERSON, text="moving house"))
        Throttle.objects.all().delete()
        self.assertNotIn("(", self.said(made_by=Throttle.Maker.PERSON, text=""))

    def test_a_rate_is_by_the_second_or_the_minute(self) -> None:
        for rate, words in ((0.1, "6 emails a minute"), (1 / 60, "1 email a minute"), (20, "20 emails a second")):
            self.assertIn(words, self.said(rate=rate))
            Throttle.objects.all().delete()

    def test_what_lasts_long_is_told_in_hours(self) -> None:
        self.assertIn("in 3 hours.", self.said(until=now() + timedelta(hours=2, minutes=30)))
