from __future__ import annotations

from unittest import TestCase

from delivery import replies
from delivery.reply_rules import RULES, registry
from delivery.reply_rules.rule import Rule
from delivery.smtp import Reply
from mailsales.reasons import HARD, About, Reason

COMMANDS = {"connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "dsn"}
FAILURES = list(Reason)[: list(Reason).index(Reason.OTHER) + 1]


def example(rule: Rule) -> Reply:
    """Return the reply that the rule gives as its example."""
    host, heard = "mx.example.jp", rule.heard
    if heard.partition(" ")[0] not in COMMANDS:
        host, _blank, heard = heard.partition(" ")
    command, code, text = heard.split(" ", 2)
    return Reply(int(code), text, command, host)


class ReplyRulesTest(TestCase):
    def test_each_rule_reads_its_own_example_before_any_other_does(self) -> None:
        for rule in RULES:
            with self.subTest(rule.heard):
                self.assertIs(replies.rule_for(example(rule)), rule)

    def test_each_rule_has_a_source(self) -> None:
        self.assertEqual([rule.heard for rule in RULES if len(rule.source) < 4], [])

    def test_each_rule_asks_for_commands_and_codes_that_there_are(self) -> None:
        for rule in RULES:
            self.assertLessEqual(rule.commands, COMMANDS, rule.heard)
            self.assertTrue(all(code[0] in "45" and code.isdecimal() for code in rule.codes), rule.heard)

    def test_each_pattern_is_in_lower_case_as_the_text_is(self) -> None:
        for rule in RULES:
            bare = rule.text.pattern.replace(r"\S", "").replace(r"\W", "").replace(r"\D", "")
            self.assertEqual(bare, bare.lower())

    def test_every_reason_is_reached(self) -> None:
        self.assertEqual({rule.reason for rule in RULES}, set(FAILURES))

    def test_nothing_about_the_sender_or_the_moment_is_ever_hard(self) -> None:
        for rule in RULES:
            verdict = replies.read(example(rule))
            if rule.reason.about is not About.ADDRESS:
                self.assertFalse(verdict.is_hard, rule.heard)

    def test_words_of_a_dead_address_are_hard_where_nothing_contradicts_them(self) -> None:
        for rule in RULES:
            reply = example(rule)
            if rule.reason in HARD and reply.code >= 500:
                self.assertTrue(replies.read(reply).is_hard, rule.heard)

    def test_no_rule_of_the_sender_s_hears_an_unknown_user(self) -> None:
        for text in ("User unknown", "No such user", "Mailbox not found", "unknown or illegal alias"):
            rule = replies.rule_for(Reply(550, f"5.1.1 <spam.policy@blocked.example.jp>: {text}", "rcpt", "mx"))
            self.assertIs(rule and rule.reason, Reason.USER_UNKNOWN, text)

    def test_an_enhanced_code_without_words_is_hard_only_where_the_registry_leaves_no_doubt(self) -> None:
        hard = {detail for detail, reason in registry.ENHANCED.items() if reason in HARD}
        self.assertEqual(hard, {"1.1", "1.2", "1.3", "1.6", "1.10", "7.17", "7.18"})

    def test_a_bare_code_is_hard_only_for_a_domain_that_takes_no_mail(self) -> None:
        self.assertEqual([code for code, reason in registry.CODES.items() if reason in HARD], [556])
