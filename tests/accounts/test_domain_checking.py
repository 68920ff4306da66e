from __future__ import annotations

from datetime import timedelta

from django.test import override_settings
from django.utils import translation
from django.utils.timezone import now

from accounts.domains import checking
from accounts.domains.findings import State, findings_of
from accounts.domains.making import make_domain
from accounts.models import DkimKey, Domain, Notice
from delivery.models import ReturnMailbox
from mailsales.wall import wall
from tests.accounts.domains import DomainTestCase

PROVEN = (Domain.State.GOOD, Domain.State.PARTLY)


class CheckTest(DomainTestCase):
    def test_what_was_pasted_is_found_right(self) -> None:
        self.publish()
        found = checking.recheck(self.domain)
        self.assertEqual([one for one in found if one.state != State.GOOD], [])
        self.domain.refresh_from_db()
        self.assertEqual((self.domain.state, self.domain.is_proven), (Domain.State.GOOD, True))

    def test_before_anything_is_there_all_is_missing(self) -> None:
        found = {one.key: one.state for one in checking.recheck(self.domain)}
        missing = {key for key, state in found.items() if state == State.MISSING}
        self.assertLessEqual({"proof", "spf", "dkim-m1", "dkim-e2", "dmarc", "return-mx", "return-spf"}, missing)
        self.assertEqual(self.recheck().state, Domain.State.UNPROVEN)

    def test_every_finding_has_words_in_both_languages(self) -> None:
        self.publish("dkim-m2", spf='"v=spf1 +all"', dmarc='"v=DMARC1; p=maybe"')
        for language in ("ja", "en"):
            with translation.override(language):
                for found in checking.recheck(self.domain):
                    self.assertNotIn("%", found.title + found.text)
                    self.assertTrue(found.title and found.text)

    def test_they_are_stored_and_read_again(self) -> None:
        self.publish()
        found = checking.recheck(self.domain)
        self.domain.refresh_from_db()
        self.assertEqual(findings_of(self.domain), found)

    def test_keys_are_noted_when_they_are_first_seen(self) -> None:
        self.publish("dkim-e2")
        self.recheck()
        seen = self.domain.keys.filter(published_at__isnull=False).values_list("selector", flat=True)
        self.assertEqual(sorted(seen), ["e1", "m1", "m2"])

    def test_a_name_that_nobody_has_added_is_judged_as_it_is(self) -> None:
        found = {one.key for one in checking.check(Domain(name="aoba.example.jp", account=self.account))}
        self.assertLessEqual({"spf", "dmarc", "mx"}, found)
        self.assertFalse({"proof", "return-mx", "alignment"} & found)


class SpfTest(DomainTestCase):
    def test_what_is_wrong_is_said(self) -> None:
        for record, code in (
            ('"v=spf1 ip4:198.51.100.1 -all"', "spf_not_covered"),
            ('"v=spf1 +all"', "spf_everyone"),
            ('"v=spf1 ip4:203.0.113.5"', "spf_open"),
            ('"v=spf1 ip4:203.0.113.5/40 -all"', "spf_term"),
            ('"v=spf1 include:nothing.example -all"', "spf_no_record"),
            ('"v=spf1 ' + "mx:aoba.example.jp " * 11 + 'ip4:203.0.113.5 -all"', "spf_lookups"),
            ('"v=spf1 a:x.example a:y.example a:z.example ip4:203.0.113.5 -all"', "spf_voids"),
        ):
            with self.subTest(record):
                self.publish(spf=record)
                self.assertEqual(self.code("spf"), code)

    def test_two_records_are_none(self) -> None:
        self.publish()
        self.names.zone += '\naoba.example.jp. TXT "v=spf1 mx -all"'
        found = self.found("spf")
        self.assertEqual((found.code, found.values["count"]), ("spf_two", 2))
        self.assertEqual(len(found.values["found"].splitlines()), 2)

    def test_its_cost_is_counted(self) -> None:
        self.publish(spf='"v=spf1 a mx ip4:203.0.113.5 -all"')
        self.assertEqual(self.found("spf").values["lookups"], 2)

    def test_every_sending_address_must_be_covered(self) -> None:
        self.publish()
        with override_settings(SENDING_ADDRESSES=["203.0.113.5", "2001:db8::5"]):
            self.assertEqual(self.found("spf").values["addresses"], ["2001:db8::5"])


class DkimTest(DomainTestCase):
    def test_what_is_wrong_is_said(self) -> None:
        whole = self.domain.keys.get(selector="m1").record
        other = self.domain.keys.get(selector="m2").record
        for value, code in (
            (_quoted(other), "dkim_other"),
            (f'"{whole[:200]}"', "dkim_cut"),
            (f'"{whole[:200]}\\" \\"{whole[200:250]}"', "dkim_cut"),
            ('"v=DKIM1; k=rsa; p="', "dkim_revoked"),
            (_quoted(whole.replace("k=rsa", "k=ed25519")), "dkim_invalid"),
            (_quoted(whole.replace("k=rsa", "h=sha1")), "dkim_invalid"),
            (_quoted(whole.replace("k=rsa", "t=y")), "dkim_testing"),
            (_quoted(whole.replace("v=DKIM1; k=rsa; ", "")), "dkim_good"),
        ):
            with self.subTest(value[:60]):
                self.publish(dkim_m1=value)
                self.assertEqual(self.code("dkim-m1"), code)

    def test_a_record_split_into_several_is_told_from_two_keys(self) -> None:
        name, whole = "m1._domainkey.aoba.example.jp.", self.domain.keys.get(selector="m1").record
        self.publish("dkim-m1")
        self.names.zone += f'\n{name} TXT "{whole[:250]}"\n{name} TXT "{whole[250:]}"'
        self.assertEqual(self.code("dkim-m1"), "dkim_cut")
        self.publish()
        self.names.zone += f'\n{name} TXT "v=DKIM1; p=abc"'
        self.assertEqual(self.code("dkim-m1"), "dkim_two")

    def test_records_of_old_keys_may_go(self) -> None:
        self.publish()
        old = self.domain.keys.get(selector="m1")
        DkimKey.objects.filter(pk=old.pk).update(retired_at=now())
        self.assertEqual(self.code("old-m1"), "dkim_old_kept")
        old.delete()
        self.assertEqual(self.code("old-m1"), "dkim_old_stale")


class PolicyTest(DomainTestCase):
    def test_what_is_wrong_is_said(self) -> None:
        for value, code in (
            ('"v=DMARC1; p=none; rua=mailto:a@aoba.example.jp"', "dmarc_own"),
            ('"v=DMARC1; p=reject"', "dmarc_no_reports"),
            ('"v=DMARC1; p=maybe"', "dmarc_invalid"),
            ('"DMARC p=none"', "dmarc_missing"),
        ):
            with self.subTest(value):
                self.publish(dmarc=value)
                self.assertEqual(self.code("dmarc"), code)

    def test_the_policy_above_counts(self) -> None:
        self.publish("dmarc")
        self.names.zone += '\n_dmarc.example.jp. TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@example.jp"'
        found = self.found("dmarc")
        self.assertEqual((found.code, found.values["policy"]), ("dmarc_inherited", "quarantine"))

    def test_strict_alignment_leaves_dkim_alone(self) -> None:
        self.publish(dmarc='"v=DMARC1; p=none; aspf=s; rua=mailto:a@aoba.example.jp"')
        self.assertEqual((self.code("dmarc"), self.code("alignment")), ("dmarc_strict", "align_dkim"))

    def test_without_a_policy_the_return_path_still_aligns(self) -> None:
        self.publish("dmarc")
        self.assertEqual(self.code("alignment"), "align_both")

    def test_a_foreign_mailbox_leaves_dkim_alone_and_is_no_fault(self) -> None:
        values = {"domain": self.domain, "address": "a@mail.example", "host": "imap.example", "username": "a"}
        ReturnMailbox.objects.create(account=self.account, **values)
        self.publish()
        self.assertEqual((self.code("return-mx"), self.code("alignment")), ("return_mailbox", "align_dkim"))
        self.assertEqual(self.recheck().state, Domain.State.GOOD)


class NamesTest(DomainTestCase):
    def test_a_null_mx_and_no_server_at_all(self) -> None:
        self.names.zone = "aoba.example.jp. MX 0 ."
        self.assertEqual(self.code("mx"), "from_null_mx")
        self.names.zone = 'aoba.example.jp. TXT "nothing"'
        self.assertEqual(self.code("mx"), "from_nothing")
        self.names.zone = "aoba.example.jp. A 198.51.100.8"
        self.assertEqual(self.code("mx"), "from_good")

    def test_the_return_path_must_lead_here_alone(self) -> None:
        self.publish(return_mx="10 mx.elsewhere.example.")
        self.assertEqual(self.found("return-mx").state, State.BAD)
        self.publish()
        self.names.zone += "\nbounce.aoba.example.jp. MX 20 mx.elsewhere.example."
        self.assertEqual(self.found("return-mx").state, State.WARN)

    def test_sending_addresses_are_who_they_say(self) -> None:
        for pointer, ehlo, code in (
            ("mail.mailsales.example.", "mail.mailsales.example", "identity_good"),
            ("other.example.", "mail.mailsales.example", "identity_other"),
            ("bare.example.", "bare.example", "identity_not_back"),
            ("mail.mailsales.example.", "localhost", "identity_no_name"),
            ("", "mail.mailsales.example", "identity_no_ptr"),
        ):
            with self.subTest(code), override_settings(EHLO_NAME=ehlo):
                self.names.zone = "mail.mailsales.example. A 203.0.113.5\n"
                self.names.zone += f"5.113.0.203.in-addr.arpa. PTR {pointer}" if pointer else ""
                self.assertEqual(self.code("identity-203.0.113.5"), code)

    def test_links_need_an_alias_and_a_certificate(self) -> None:
        Domain.objects.filter(pk=self.domain.pk).update(tracking_label="link")
        self.domain.refresh_from_db()
        self.assertEqual(self.code("tracking"), "tracking_missing")
        self.publish(tracking="elsewhere.example.")
        self.assertEqual(self.code("tracking"), "tracking_other")
        self.publish()
        self.assertEqual(self.code("tracking"), "tracking_no_certificate")
        self.assertFalse(self.recheck().is_tracking_ready)


class HoldingTest(DomainTestCase):
    def rival(self) -> Domain:
        """Return the same domain of another account, whose proof is there as well."""
        rival = make_domain(self.other_account, "aoba.example.jp")
        self.names.zone += f'\n{rival.proof_name}. TXT "{rival.proof_record}"'
        return rival

    def test_who_is_first_holds_it(self) -> None:
        self.publish()
        self.recheck()
        rival = self.recheck(self.rival())
        self.assertFalse(rival.is_proven)
        self.assertEqual((rival.state, rival.findings[0]["code"]), (Domain.State.UNPROVEN, "proof_held"))

    def test_a_page_that_cannot_see_the_holder_loses_gracefully(self) -> None:
        self.publish()
        self.recheck()
        rival = self.rival()
        with wall(self.other_account.pk):
            checking.recheck(rival)
        rival.refresh_from_db()
        self.assertEqual(rival.findings[0]["code"], "proof_held")

    def test_a_page_proves_it_and_sees_it_break(self) -> None:
        self.publish()
        with wall(self.account.pk):
            checking.recheck(self.domain)
            self.publish("proof")
            checking.recheck(self.domain)
        self.domain.refresh_from_db()
        self.assertEqual((self.domain.is_proven, self.domain.state), (True, Domain.State.BROKEN))
        self.assertEqual(Notice.objects.count(), 1)

    def test_a_proof_that_is_gone_breaks_the_domain_and_leaves_it_where_it_is(self) -> None:
        self.publish()
        self.recheck()
        self.publish("proof")
        self.assertEqual((self.recheck().state, self.domain.is_proven), (Domain.State.BROKEN, True))
        self.assertFalse(self.recheck(self.rival()).is_proven)

    def test_after_thirty_days_it_passes_over(self) -> None:
        self.publish()
        self.recheck()
        self.publish("proof")
        self.recheck()
        proof = {**self.domain.findings[0]}
        proof["values"] = {**proof["values"], "since": (now() - timedelta(days=31)).isoformat()}
        Domain.objects.filter(pk=self.domain.pk).update(findings=[proof, *self.domain.findings[1:]])
        self.assertTrue(self.recheck(self.rival()).is_proven)
        self.domain.refresh_from_db()
        self.assertEqual((self.domain.is_proven, self.domain.state), (False, Domain.State.UNPROVEN))


class StateTest(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish()
        self.recheck()

    def test_something_recommended_that_is_missing_makes_it_partly_ready(self) -> None:
        for left_out in ("dkim-e2", "dmarc", "spf", "return-spf", "dkim-m1"):
            with self.subTest(left_out):
                self.publish(left_out)
                self.assertEqual(self.recheck().state, Domain.State.PARTLY)

    def test_without_any_aligned_mechanism_it_is_broken(self) -> None:
        self.publish("dkim-m1", "return-spf")
        domain = self.recheck()
        self.assertEqual((domain.state, domain.may_send), (Domain.State.BROKEN, False))
        self.assertIsNotNone(domain.broken_since)

    def test_a_return_path_that_is_gone_breaks_it(self) -> None:
        self.publish("return-mx", "return-spf")
        self.assertEqual(self.recheck().state, Domain.State.BROKEN)

    def test_trouble_breaks_nothing(self) -> None:
        self.names.faults = {"_mailsales.aoba.example.jp": "servfail", "m1._domainkey.aoba.example.jp": "servfail"}
        self.names.faults |= {"bounce.aoba.example.jp": "refused"}
        domain = self.recheck()
        self.assertEqual(domain.state, Domain.State.GOOD)
        proof = findings_of(domain)[0]
        self.assertEqual((proof.state, proof.code), (State.UNKNOWN, "proof_good"))
        self.assertEqual(self.recheck().state, Domain.State.GOOD)

    def test_trouble_mends_nothing_either(self) -> None:
        self.publish("proof")
        self.recheck()
        self.names.faults = {"_mailsales.aoba.example.jp": "servfail"}
        domain = self.recheck()
        self.assertEqual(domain.state, Domain.State.BROKEN)
        self.assertIn("proof", [one.key for one in findings_of(domain) if one.is_failure])

    def test_faults_of_the_installation_are_not_the_domains(self) -> None:
        self.names.zone = self.names.zone.replace("PTR mail.mailsales.example.", "PTR other.example.")
        self.assertEqual(self.recheck().state, Domain.State.GOOD)


class NoticesTest(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish()
        self.recheck()

    def test_owners_hear_once_that_it_broke_in_their_language(self) -> None:
        self.publish("proof")
        self.recheck()
        self.recheck()
        notice = Notice.objects.of(self.account).get()
        self.assertEqual(notice.address, "alice@example.org")
        self.assertEqual(notice.subject, "aoba.example.jp: emails cannot be sent until its DNS is put right")
        self.assertIn(self.domain.proof_record, notice.text)
        self.assertIn("The proof of ownership is missing", notice.text)

    def test_a_japanese_owner_reads_japanese(self) -> None:
        self.alice.language = "ja"
        self.alice.save()
        self.publish("proof")
        self.recheck()
        self.assertIn("所有の証明がありません", Notice.objects.get().text)

    def test_and_once_that_it_is_well_again(self) -> None:
        self.publish("proof")
        self.recheck()
        self.publish()
        self.recheck()
        self.recheck()
        subjects = [notice.subject for notice in Notice.objects.order_by("pk")]
        self.assertEqual(subjects[1:], ["aoba.example.jp: emails can be sent again"])

    def test_a_new_domain_makes_no_noise(self) -> None:
        make_domain(self.account, "oroshi.example.com")
        self.recheck(Domain.objects.get(name="oroshi.example.com"))
        self.assertFalse(Notice.objects.exists())


def _quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
