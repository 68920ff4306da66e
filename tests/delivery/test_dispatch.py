from __future__ import annotations

from datetime import timedelta

from django.test import override_settings
from django.utils.timezone import localdate, now

from accounts.models import Domain
from campaigns.models import Suppression
from delivery import queue, throttles
from delivery.models import Attempt, DestinationGroup, Message, Throttle, TlsResult, WarmupDay
from mailsales.management.bench.names import Names
from tests.delivery.dialogue import scripted
from tests.delivery.sending import SendingTestCase, sink_thread
from tests.delivery.sink import Sink

ZONE = "".join(f"host{n}.example. MX 10 mx.fast.example.\n" for n in range(8))
FAST = "mx.fast.example. A 127.0.0.1\n"


class MxTestCase(SendingTestCase):
    """Mail goes to MX hosts on this machine: host0 to host7 are fast, the test says what host8 and host9 are."""

    readers = 40
    others = "host8.example. MX 10 mx.fast.example.\nhost9.example. MX 10 mx.fast.example.\n"

    def setUp(self) -> None:
        names = self.enterContext(sink_thread(Names(ZONE + FAST + self.others)))
        self.enterContext(override_settings(DNS_SERVERS=[names.server], ALLOW_PRIVATE_MX=True))
        super().setUp()
        self.account.route = f"mx?port={self.sink.port}"
        self.account.save()

    def another_sink(self, host: str, sink: Sink) -> Sink:
        sink.host, sink.port = host, self.sink.port
        return self.enterContext(sink_thread(sink))

    def open_ones(self, host: str) -> list[Message]:
        """Return what is not closed of the readers at a host."""
        return list(Message.objects.filter(address__endswith=f"@{host}.example", closed_at=None).order_by("pk"))

    def until_rest_is_sent(self, rest: int) -> None:
        self.until(lambda: self.counts().get("sent", 0) >= self.readers - rest)


class MxTest(MxTestCase):
    def test_everybody_gets_one_mail(self) -> None:
        self.start()
        self.until_sent()
        self.assertEqual((len(self.accepted()), len(set(self.accepted()))), (self.readers, self.readers))

    def test_where_mail_goes_is_written_down(self) -> None:
        self.start()
        self.until_sent()
        self.until(lambda: DestinationGroup.objects.count() == 10)
        self.assertEqual(set(DestinationGroup.objects.values_list("site", flat=True)), {"mx.fast.example"})

    def test_sessions_are_counted_for_reports_about_tls(self) -> None:
        self.start()
        self.until_sent()
        self.until(lambda: TlsResult.objects.exists())
        counted = TlsResult.objects.values_list("policy_type", "result")
        self.assertEqual(set(counted), {("no-policy-found", "")})


class NowhereTest(MxTestCase):
    others = "host8.example. MX 0 .\n"  # and no host9 at all

    def test_a_domain_without_mail_is_dead(self) -> None:
        self.start()
        self.until_sent()
        self.assertEqual(self.counts(), {"sent": 32, "bounced": 8})
        reasons = Message.objects.filter(status="bounced").values_list("address", "reason")
        self.assertEqual(
            {(address[-13:], reason) for address, reason in reasons},
            {("host8.example", "not_accepted"), ("host9.example", "host_unknown")},
        )
        self.assertEqual(Suppression.objects.count(), 8)


class SlowTest(MxTestCase):
    readers = 140  # fourteen at each host, more than its connections take at once
    others = (
        "host8.example. MX 10 mx.fast.example.\nhost9.example. MX 10 mx.slow.example.\nmx.slow.example. A 127.0.0.2\n"
    )

    def setUp(self) -> None:
        super().setUp()
        self.slow = self.another_sink("127.0.0.2", Sink(scripted(DOT="silence")))

    def test_it_holds_nobody_else_back(self) -> None:
        self.start()
        self.until_rest_is_sent(14)
        self.assertEqual(len(self.open_ones("host9")), 14)

    def test_what_waits_there_is_given_back_by_a_pause(self) -> None:
        self.start()
        self.until_rest_is_sent(14)
        self.campaign.refresh_from_db()
        self.campaign.pause()
        self.until(lambda: self.counts().get("queued", 0) >= 2, runs=False)


class DeadTest(MxTestCase):
    others = (
        "host8.example. MX 10 mx.fast.example.\nhost9.example. MX 10 mx.dead.example.\nmx.dead.example. A 127.0.0.3\n"
    )

    def test_it_is_tried_again_and_left_alone_meanwhile(self) -> None:
        self.start()
        self.until(lambda: Throttle.objects.exists())
        self.until_rest_is_sent(4)
        throttle = Throttle.objects.get()
        self.assertEqual(
            (throttle.scope, throttle.made_by, throttle.reason), ("mx.dead.example", "failure", "network_error")
        )
        self.assertEqual({(one.status, one.reason) for one in self.open_ones("host9")}, {("deferred", "network_error")})

    def test_what_is_due_meanwhile_is_given_back_untried(self) -> None:
        throttles.suspend("mx", "mx.dead.example", 600, "")
        self.end(self.worker)
        self.worker = self.make_worker()  # one that has read it before its first claim
        self.start()
        self.until_rest_is_sent(4)
        self.until(
            lambda: all(one.due_at and one.due_at > now() + timedelta(minutes=9) for one in self.open_ones("host9"))
        )
        self.assertEqual({one.tries for one in self.open_ones("host9")}, {0})


class NextHostTest(MxTestCase):
    others = (
        "host8.example. MX 10 mx.dead.example.\nhost8.example. MX 20 mx.fast.example.\nmx.dead.example. A 127.0.0.3\n"
        "host9.example. MX 10 mx.shut.example.\nhost9.example. MX 20 mx.fast.example.\nmx.shut.example. A 127.0.0.2\n"
    )

    def test_the_next_one_is_tried_where_the_first_is_dead_or_shut(self) -> None:
        self.another_sink("127.0.0.2", Sink(scripted(greeting="554 5.7.1 not you")))
        self.start()
        self.until_sent()
        self.assertEqual(self.counts(), {"sent": self.readers})


class RuleTest(MxTestCase):
    others = "host8.example. MX 10 mx.fast.example.\nhost9.example. MX 10 mx.strict.example.\nmx.strict.example. A 127.0.0.2\n"

    def test_a_reply_slows_its_destination_down(self) -> None:
        words = "421 4.7.0 Messages from 127.0.0.1 temporarily deferred due to user complaints"
        self.another_sink("127.0.0.2", Sink(scripted(MAIL=words)))
        self.start()
        self.until_rest_is_sent(4)
        self.until(lambda: Throttle.objects.filter(made_by="rule").exists())
        throttle = Throttle.objects.get(made_by="rule")
        self.assertEqual((throttle.scope, throttle.code, throttle.text), ("mx.strict.example", 421, words[4:]))
        self.assertTrue(0 < throttle.rate < 0.1)


class WarmupTest(MxTestCase):
    def test_what_goes_beyond_today_waits_for_tomorrow(self) -> None:
        Domain.objects.update(warmup_started_on=localdate(), warmup_first=15)
        self.start()
        self.until(lambda: self.counts() == {"sent": 15, "queued": 25})
        waiting = Message.objects.filter(status="queued", due_at__gt=now() + timedelta(hours=12), tries=0)
        self.until(lambda: waiting.count() == 25, runs=False)
        self.assertEqual(WarmupDay.objects.values_list("cap", "used").get(), (15, 15))
        self.assertEqual(Attempt.objects.count(), 15)

    def test_the_campaign_lives_as_long_as_that_takes(self) -> None:
        Domain.objects.update(warmup_started_on=localdate(), warmup_first=10)
        self.campaign.schedule(None)
        queue.tick()
        self.campaign.refresh_from_db()
        assert self.campaign.expires_at
        self.assertGreater(self.campaign.expires_at, now() + timedelta(hours=71 + 2 * 24))
