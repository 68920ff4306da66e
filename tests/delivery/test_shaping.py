from __future__ import annotations

import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.checks import run_checks
from django.test import SimpleTestCase, override_settings

from delivery import shaping
from delivery.shaping import Action, Limits, Rule, ShapingError, Table
from delivery.smtp import Reply
from mailsales.providers import BY_DOMAIN, Provider

TABLE = shaping.load()


def reply(code: int, text: str, command: str = "rcpt") -> Reply:
    return Reply(code, text, command, "mx.example.jp")


def heard(group: str, code: int, text: str, command: str = "rcpt") -> Rule:
    """Return the first rule of the group that listens to this."""
    return next(rule for rule in TABLE.rules(group) if rule.fits(reply(code, text, command)))


class GroupsTest(SimpleTestCase):
    def test_servers_of_google_are_one_group_whoever_owns_the_domain(self) -> None:
        hosts = ("ASPMX.L.GOOGLE.COM.", "alt1.aspmx.l.google.com")
        self.assertEqual(TABLE.group_of(hosts, "aoba.example.jp"), "google")

    def test_consumers_and_companies_at_microsoft_are_two_groups(self) -> None:
        consumer = TABLE.group_of(("hotmail-com.olc.protection.outlook.com",), "example.jp")
        company = TABLE.group_of(("aoba-example-jp.mail.protection.outlook.com",), "aoba.example.jp")
        self.assertEqual((consumer, company), ("microsoft", "microsoft365"))

    def test_a_carrier_is_known_by_the_domain_whatever_its_servers_are_called(self) -> None:
        found = [TABLE.group_of(("mx.example.net",), name) for name in ("docomo.ne.jp", "t.vodafone.ne.jp", "au.com")]
        self.assertEqual(found, ["docomo", "softbank", "au"])

    def test_a_name_that_only_ends_like_a_provider_is_not_the_provider(self) -> None:
        self.assertEqual(TABLE.group_of(("mx.notgoogle.com",), "mydocomo.ne.jp"), "mx.notgoogle.com")

    def test_other_servers_are_a_group_of_their_own_in_any_order(self) -> None:
        self.assertEqual(TABLE.group_of(("b.example.jp", "A.example.jp."), "x.jp"), "a.example.jp b.example.jp")
        self.assertEqual(len(TABLE.group_of(tuple(f"mx{n}.example.jp" for n in range(99)), "x.jp")), 255)

    def test_servers_of_two_providers_are_no_group_of_either(self) -> None:
        self.assertEqual(TABLE.group_of(("mx.qq.com", "mx.google.com"), "x.jp"), "mx.google.com mx.qq.com")

    def test_a_server_that_is_called_like_a_group_is_not_the_group(self) -> None:
        found = [TABLE.group_of((name,), "example.jp") for name in ("docomo", "relay", "Sandbox.")]
        self.assertEqual(found, ["docomo.", "relay.", "sandbox."])
        self.assertEqual({TABLE.limits(name) for name in found}, {TABLE.limits("mx.example.jp")})

    def test_people_read_a_label(self) -> None:
        found = [TABLE.label(name) for name in ("docomo", "a.example.jp b.example.jp", "relay mail.example.jp:25")]
        self.assertEqual(found, ["docomo", "a.example.jp", "relay mail.example.jp:25"])

    def test_every_provider_of_the_reports_is_a_group(self) -> None:
        for domain, provider in BY_DOMAIN.items():
            self.assertEqual(TABLE.provider(TABLE.group_of(("mx.example.net",), domain)), provider, domain)

    def test_unknown_servers_are_of_no_provider(self) -> None:
        self.assertEqual(TABLE.provider("a.example.jp"), Provider.OTHER)


class LimitsTest(SimpleTestCase):
    def test_unknown_servers_get_the_default(self) -> None:
        self.assertEqual(TABLE.limits("a.example.jp b.example.jp"), Limits(10, 100, 300.0, None, False))

    def test_a_group_overrides_it(self) -> None:
        self.assertEqual(TABLE.limits("yahoo_japan"), Limits(2, 20, 300.0, 10.0, False))
        self.assertTrue(TABLE.limits("google").is_tls_required)

    def test_relay_and_sandbox_have_their_own(self) -> None:
        for group in ("relay mail.example.jp:25", "sandbox", "sandbox 127.0.0.1:2525"):
            self.assertEqual(TABLE.limits(group), Limits(16, 1000, 300.0, None, False), group)

    def test_every_entry_and_every_rule_names_its_source(self) -> None:
        data = tomllib.loads(shaping.OURS.read_text())
        entries = [data["default"], data["relay"], data["sandbox"], *data["groups"].values(), *data["rules"]]
        rules = [rule for entry in entries for rule in entry.get("rules", [])]
        self.assertEqual([entry for entry in [*entries, *rules] if len(entry.get("source", "")) < 20], [])


class RulesTest(SimpleTestCase):
    def test_an_unusual_rate_slows_down_to_gmail(self) -> None:
        rule = heard(
            "google", 421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP"
        )
        self.assertEqual((rule.times, rule.action), (2, Action("slow", 1800.0, 10 / 60, 1)))

    def test_the_codes_of_yahoo_suspend_for_hours(self) -> None:
        found = [
            heard("yahoo", 421, f"4.7.0 [{code}] Messages from 192.0.2.1 temporarily deferred").action.seconds / 3600
            for code in ("TSS04", "TSS05")
        ]
        self.assertEqual(found, [2, 4])

    def test_yahoo_japan_suspends_for_an_hour(self) -> None:
        rule = heard("yahoo_japan", 553, "Mail from 192.0.2.1 not allowed - VS98-IP0 deferred", "mail")
        self.assertEqual((rule.times, rule.action), (2, Action("suspend", 3600.0)))

    def test_outlook_tells_slowing_down_from_a_block(self) -> None:
        slow = heard(
            "microsoft",
            451,
            "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)",
        )
        block = heard(
            "microsoft",
            550,
            "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3140).",
        )
        self.assertEqual((slow.action.kind, block.action.kind), ("slow", "suspend"))

    def test_a_reset_at_connect_slows_au_down_and_nobody_else(self) -> None:
        rule = heard("au", 0, "connection reset", "connect")
        self.assertEqual((rule.action.kind, rule.action.connections), ("slow", 1))
        self.assertFalse(
            any(rule.fits(reply(0, "connection reset", "connect")) for rule in TABLE.rules("a.example.jp"))
        )

    def test_a_lost_reply_to_the_dot_is_no_congestion(self) -> None:
        self.assertFalse(any(rule.fits(reply(0, "connection reset", "dot")) for rule in TABLE.rules("au")))

    def test_a_flood_of_unknown_users_slows_a_carrier_down(self) -> None:
        self.assertEqual(heard("softbank", 550, "Invalid recipient: <a@softbank.ne.jp>").times, 200)
        self.assertEqual(heard("docomo", 550, "Unknown user a@docomo.ne.jp").times, 300)

    def test_block_lists_suspend_anybody(self) -> None:
        found = heard(
            "a.example.jp", 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"
        )
        self.assertEqual(found.action, Action("suspend", 7200.0))
        self.assertEqual(heard("google", 550, "domain present in the Spamhaus DBL").action.seconds, 4 * 3600)

    def test_greylisting_and_a_full_mailbox_change_nothing(self) -> None:
        for text in (
            "4.2.0 Greylisted, please try again later",
            "4.7.1 try again later",
            "4.2.2 Mailbox full",
            "4.3.0 Temporary failure",
        ):
            self.assertFalse(any(rule.fits(reply(450, text)) for rule in TABLE.rules("a.example.jp")), text)

    def test_a_busy_server_is_slowed_down_after_several_replies(self) -> None:
        self.assertEqual(
            heard("a.example.jp", 421, "4.3.2 Service not available, closing channel", "greeting").times, 5
        )

    def test_a_relay_has_rules_of_its_own_alone_and_the_sandbox_none(self) -> None:
        self.assertEqual(
            heard("relay x:25", 454, "Throttling failure: Maximum sending rate exceeded.").action.rate, 10.0
        )
        self.assertEqual(TABLE.rules("sandbox 127.0.0.1:2525"), ())
        self.assertLess(len(TABLE.rules("relay x:25")), len(TABLE.rules("a.example.jp")))


class FileTest(SimpleTestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(TemporaryDirectory())) / "shaping.toml"

    def load(self, text: str) -> Table:
        self.path.write_text(text)
        shaping.load.cache_clear()
        self.addCleanup(shaping.load.cache_clear)
        return shaping.load(str(self.path))

    def assertWrong(self, text: str, *words: str) -> None:
        with self.assertRaises(ShapingError) as caught:
            self.load(text)
        for word in (str(self.path), *words):
            self.assertIn(word, f"{caught.exception} {caught.exception.hint}")

    def test_a_key_of_the_file_replaces_only_that_key(self) -> None:
        limits = self.load('[groups.yahoo_japan]\nconnections = 1\nrate = "30/minute"\n').limits("yahoo_japan")
        self.assertEqual(limits, Limits(1, 20, 300.0, 0.5, False))

    def test_an_empty_rate_is_no_limit(self) -> None:
        self.assertIsNone(self.load('[groups.docomo]\nrate = ""\n').limits("docomo").rate)

    def test_a_new_default_holds_for_groups_that_say_nothing(self) -> None:
        table = self.load("[default]\nseconds_per_connection = 60\nconnections = 3\n")
        self.assertEqual((table.limits("docomo").seconds_per_connection, table.limits("docomo").connections), (60.0, 4))
        self.assertEqual(table.limits("a.example.jp").connections, 3)

    def test_a_new_group_is_found_by_its_hosts(self) -> None:
        table = self.load('[groups.aoba]\nlabel = "Aoba"\nhosts = ["aoba.example.jp"]\nconnections = 1\n')
        name = table.group_of(("mx1.aoba.example.jp",), "tea.example.jp")
        self.assertEqual((table.label(name), table.limits(name).connections), ("Aoba", 1))

    def test_its_rules_come_first(self) -> None:
        rule = "[[groups.google.rules]]\npattern = 'closed'\naction = \"suspend\"\nminutes = 3\n"
        self.assertEqual(self.load(rule).rules("google")[0].action, Action("suspend", 180.0))

    def test_a_rule_with_the_same_pattern_is_replaced_or_switched_off(self) -> None:
        pattern = TABLE.rules("yahoo_japan")[0].pattern.pattern
        table = self.load(f"[[groups.yahoo_japan.rules]]\npattern = '{pattern}'\ntimes = 0\n")
        self.assertNotIn(pattern, [rule.pattern.pattern for rule in table.rules("yahoo_japan")])

    def test_an_unreadable_file_is_named(self) -> None:
        with self.assertRaisesRegex(ShapingError, re.escape(f"{self.path} cannot be read: No such file")):
            shaping.load(str(self.path))

    def test_what_is_wrong_in_it_is_named_with_its_key(self) -> None:
        self.assertWrong("[default", "is not TOML")
        self.assertWrong("[groop.google]\n", "“groop”", "[groups.NAME]")
        self.assertWrong("[default]\nconections = 3\n", "default has no key “conections”", "connections")
        self.assertWrong("[groups.google]\nconnections = 0\n", "groups.google.connections is 0", "from 1 to 1000")
        self.assertWrong('[groups.google]\nconnections = "5"\n', "is '5', not a whole number")
        self.assertWrong("[groups.google]\nconnections = true\n", "is True, not a whole number")
        self.assertWrong('[default]\nrate = "10 a second"\n', "default.rate", "10/second")
        self.assertWrong('[default]\nrate = "0.0/second"\n', "default.rate", "10/second")
        self.assertWrong('[groups.x]\nprovider = "docmo"\n', "groups.x.provider", "docomo")
        self.assertWrong("[groups]\ngoogle = 3\n", "groups.google is not a table")

    def test_a_wrong_rule_is_named_with_its_number(self) -> None:
        whole = "[[rules]]\npattern = 'x'\naction = \"suspend\"\nminutes = 3\n"
        self.assertWrong(whole + "[[rules]]\npattern = '('\naction = \"suspend\"\nminutes = 3\n", "rules (2.).pattern")
        self.assertWrong("[[rules]]\npattern = 'x'\naction = \"slow\"\nminutes = 3\n", "the 1. of rules has no rate")
        self.assertWrong(whole + 'commands = ["RCPT"]\n', "rules (1.).commands", "rcpt")
        self.assertWrong("[rules]\npattern = 'x'\n", "rules")

    def test_the_system_check_says_the_same(self) -> None:
        self.path.write_text("[default]\nconnections = 0\n")
        with override_settings(SHAPING_FILE=str(self.path)):
            found = [each for each in run_checks() if each.id == "delivery.E001"]
        self.assertIn("default.connections is 0", found[0].msg)
        self.assertIn("from 1 to 1000", found[0].hint or "")

    def test_the_file_that_is_shipped_would_pass_its_own_check(self) -> None:
        self.assertIsInstance(self.load(shaping.OURS.read_text()), Table)
