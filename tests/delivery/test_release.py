from __future__ import annotations

from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.utils.timezone import now

from campaigns.models import Campaign
from delivery.models import Installation, Message
from mailsales import ledger
from tests.delivery.test_queue import QueueTestCase


class ReleaseTest(QueueTestCase):
    """A campaign to two people has begun, and the whole installation was put on hold."""

    def setUp(self) -> None:
        super().setUp()
        self.start()
        Installation.objects.update(held_at=now() - timedelta(hours=1))

    def call(self, *args: str) -> str:
        out = StringIO()
        call_command("release", *args, stdout=out)
        return out.getvalue()

    def is_held(self) -> bool:
        return Installation.objects.filter(held_at__isnull=False).exists()

    def test_it_shows_what_waits_and_releases_nothing(self) -> None:
        said = self.call()
        self.assertIn("The installation is on hold since", said)
        self.assertIn("Messages that wait: 2 (2 queued, 0 deferred, 0 sending).", said)
        self.assertNotIn("unknown", said)
        self.assertTrue(self.is_held())

    def test_it_lets_mail_go(self) -> None:
        self.assertIn("Mail goes again.", self.call("--yes"))
        self.assertFalse(self.is_held())

    def test_it_rings_the_tick(self) -> None:
        with patch("delivery.management.commands.release.ring") as rung:
            self.call("--yes")
        rung.assert_called_once_with("delivery.tick")

    def test_campaigns_on_hold_stay_so(self) -> None:
        Campaign.objects.update(status=Campaign.Status.HELD)
        self.assertIn("asks a person on its page: 1.", self.call("--yes"))
        self.assertEqual(Campaign.objects.get().status, Campaign.Status.HELD)

    def test_it_says_what_a_restore_leaves_to_people(self) -> None:
        Message.objects.update(status="unknown", reason="restored", due_at=None, closed_at=now())
        ledger.execute("restore_tally")
        said = self.call()
        self.assertIn("Messages whose outcome is unknown: 2.", said)
        self.assertIn("who unsubscribed since the backup is subscribed again", said)

    def test_without_a_hold_there_is_nothing_to_do(self) -> None:
        Installation.objects.update(held_at=None)
        self.assertEqual(self.call("--yes"), "The installation is not on hold.\n")

    def test_a_hold_that_came_meanwhile_stays(self) -> None:
        def hold_anew() -> int:
            Installation.objects.update(held_at=now())
            return 0

        with (
            patch("delivery.standing.unknown", hold_anew),
            self.assertRaisesMessage(CommandError, "on hold anew"),
        ):
            self.call("--yes")
        self.assertTrue(self.is_held())
