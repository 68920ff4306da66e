from __future__ import annotations

from collections.abc import Sequence

from mailsales.dns import dmarc
from mailsales.dns.dmarc import Result, targets
from tests.dns.serving import NamesTestCase

DEEP = "a.b.c.d.e.f.g.h.i.j.mail.example.com"


class DmarcTestCase(NamesTestCase):
    def evaluate(self, author: str, *, spf: str = "", dkim: Sequence[str] = ()) -> Result:
        return dmarc.evaluate(self.ask_anew(), author=author, spf=spf, dkim=dkim)

    def domains(self, author: str) -> tuple[str, str]:
        found = self.evaluate(author)
        return found.policy_domain, found.organizational_domain

    def policy(self, author: str) -> str:
        return self.evaluate(author).policy


class WalkTest(DmarcTestCase):
    """RFC 9989 §4.10 and appendix B.4."""

    ZONE = """
_dmarc.example.com. TXT "v=DMARC1; p=reject"
_dmarc.signing.example.com. TXT "v=DMARC1; p=none"
_dmarc.bank.example. TXT "v=DMARC1; p=reject; psd=y"
_dmarc.example. TXT "v=DMARC1; p=none"
_dmarc.giant.bank.example. TXT "v=DMARC1; p=quarantine"
_dmarc.a.mega.bank.example. TXT "v=DMARC1; p=quarantine"
_dmarc.example.net. TXT "v=DMARC1; p=none"
_dmarc.part.example.net. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.twice.example.org. TXT "v=DMARC1; p=reject"
_dmarc.twice.example.org. TXT "v=DMARC1; p=none"
_dmarc.example.org. TXT "v=DMARC1; p=quarantine"
_dmarc.example.org. TXT "v=spf1 -all"
_dmarc.other.example.org. TXT "v=DMARC2; p=reject"
_dmarc.xn--r8jz45g.jp. TXT "v=DMARC1; p=" "reject"
"""

    def test_a_walk_asks_eight_questions_at_most(self) -> None:
        self.evaluate("a.b.c.d.e.f.g.h.i.j.mail.example.invalid")
        names = ["a.b.c.d.e.f.g.h.i.j.mail", "g.h.i.j.mail", "h.i.j.mail", "i.j.mail", "j.mail", "mail"]
        expected = [f"_dmarc.{name}.example.invalid TXT" for name in names]
        self.assertEqual(self.names.asked, [*expected, "_dmarc.example.invalid TXT", "_dmarc.invalid TXT"])

    def test_up_to_eight_labels_none_is_skipped(self) -> None:
        for count in range(1, 9):
            self.assertEqual(len(list(targets(".".join("abcdefgh"[:count])))), count)
        self.assertEqual(list(targets("a.b.c.d.e.f.g.h.i"))[1], "c.d.e.f.g.h.i")

    def test_the_organization_is_at_the_shortest_name_with_a_record(self) -> None:
        self.assertEqual(self.domains("example.com"), ("example.com", "example.com"))
        self.assertEqual(self.domains("signing.example.com"), ("signing.example.com", "example.com"))
        self.assertEqual(self.domains(DEEP), ("example.com", "example.com"))

    def test_below_a_public_suffix_is_the_organization(self) -> None:
        self.assertEqual(self.domains("giant.bank.example"), ("giant.bank.example", "giant.bank.example"))
        self.assertEqual(self.domains("mail.giant.bank.example"), ("giant.bank.example", "giant.bank.example"))
        self.assertNotIn("_dmarc.example TXT", self.names.asked)

    def test_without_a_record_of_its_own_the_public_suffix_decides(self) -> None:
        self.assertEqual(self.domains("mail.mega.bank.example"), ("bank.example", "mega.bank.example"))
        self.assertEqual(self.domains("x.a.mega.bank.example"), ("bank.example", "mega.bank.example"))

    def test_a_public_suffix_is_its_own_organization(self) -> None:
        self.assertEqual(self.domains("bank.example"), ("bank.example", "bank.example"))

    def test_a_domain_may_say_that_it_is_the_organization(self) -> None:
        self.assertEqual(self.domains("mail.part.example.net"), ("part.example.net", "part.example.net"))
        self.assertEqual(self.domains("part.example.net"), ("part.example.net", "part.example.net"))
        self.assertNotIn("_dmarc.example.net TXT", self.names.asked)

    def test_several_records_are_none(self) -> None:
        found = self.evaluate("twice.example.org")
        self.assertEqual(
            (found.policy_domain, found.policy, found.crowded), ("example.org", "quarantine", ("twice.example.org",))
        )

    def test_other_texts_are_no_records(self) -> None:
        self.assertEqual(self.domains("example.org"), ("example.org", "example.org"))
        self.assertEqual(self.domains("other.example.org"), ("example.org", "example.org"))

    def test_a_domain_counts_as_its_a_label(self) -> None:
        self.assertEqual(self.domains("例え.JP."), ("xn--r8jz45g.jp", "xn--r8jz45g.jp"))


class PolicyTest(DmarcTestCase):
    """RFC 9989 §4.7 and §4.10.1."""

    ZONE = """
_dmarc.all.example. TXT "v=DMARC1; p=none; sp=quarantine; np=reject"
here.all.example. TXT "something"
deep.empty.all.example. A 192.0.2.1
alias.all.example. CNAME gone.invalid.
_dmarc.own.all.example. TXT "v=DMARC1; p=quarantine; np=reject"
_dmarc.sub.example. TXT "v=DMARC1; p=reject; sp=none"
_dmarc.only.example. TXT "v=DMARC1; p=quarantine"
_dmarc.test.example. TXT "v=DMARC1; p=reject; sp=quarantine; np=none; t=y"
here.test.example. A 192.0.2.1
_dmarc.reports.example. TXT "v=DMARC1; p=reject; sp=oops; rua=mailto:a@reports.example"
_dmarc.void.example. TXT "v=DMARC1; sp=reject"
"""

    def test_the_domain_itself_has_p(self) -> None:
        self.assertEqual(self.policy("all.example"), "none")

    def test_a_subdomain_has_sp_if_it_exists(self) -> None:
        for domain in ("here.all.example", "empty.all.example", "deep.empty.all.example", "alias.all.example"):
            self.assertEqual(self.policy(domain), "quarantine", domain)

    def test_and_np_if_it_does_not(self) -> None:
        self.assertEqual(self.policy("gone.all.example"), "reject")

    def test_np_is_sp_where_it_is_not_said_and_sp_is_p(self) -> None:
        self.assertEqual(self.policy("gone.sub.example"), "none")
        self.assertEqual(self.policy("gone.only.example"), "quarantine")

    def test_a_record_of_its_own_has_p_whether_the_domain_exists(self) -> None:
        self.assertEqual(self.policy("own.all.example"), "quarantine")

    def test_a_test_is_one_step_milder(self) -> None:
        self.assertEqual(self.policy("test.example"), "quarantine")
        self.assertEqual(self.policy("here.test.example"), "none")
        self.assertEqual(self.policy("gone.test.example"), "none")

    def test_a_wrong_record_that_wants_reports_asks_for_nothing(self) -> None:
        found = self.evaluate("reports.example", spf="example.net")
        self.assertEqual((found.word, found.policy, found.policy_domain), ("fail", "none", "reports.example"))
        self.assertEqual(found.faults[0].value, "oops")

    def test_a_wrong_record_that_wants_none_is_no_dmarc(self) -> None:
        found = self.evaluate("void.example", spf="void.example")
        self.assertEqual((found.word, found.policy, found.policy_domain), ("none", "none", ""))
        self.assertEqual(found.faults[0].code, "no_policy")

    def test_without_a_record_there_is_no_dmarc(self) -> None:
        found = self.evaluate("a.none.invalid", spf="a.none.invalid", dkim=["a.none.invalid"])
        self.assertEqual((found.word, found.policy_domain, found.organizational_domain), ("none", "", "a.none.invalid"))


class AlignmentTest(DmarcTestCase):
    """RFC 9989 §4.4 and §4.10.2, and appendix B.1."""

    ZONE = """
_dmarc.example.com. TXT "v=DMARC1; p=reject"
_dmarc.strict.example. TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
_dmarc.dkim.example. TXT "v=DMARC1; p=reject; adkim=s"
_dmarc.part.example.com. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.suffix.example. TXT "v=DMARC1; p=reject; psd=y"
"""

    def word(self, author: str, *, spf: str = "", dkim: Sequence[str] = ()) -> str:
        return self.evaluate(author, spf=spf, dkim=dkim).word

    def test_the_same_domain_is_aligned(self) -> None:
        self.assertEqual(self.word("example.com", spf="Example.COM"), "pass")
        self.assertEqual(self.word("strict.example", dkim=["strict.example"]), "pass")

    def test_the_same_organization_is_aligned(self) -> None:
        self.assertEqual(self.word("example.com", spf="child.example.com"), "pass")
        self.assertEqual(self.word("child.example.com", dkim=["example.com"]), "pass")
        self.assertEqual(self.word("news.example.com", dkim=["other.example.com"]), "pass")

    def test_but_not_where_the_owner_is_strict(self) -> None:
        self.assertEqual(self.word("strict.example", spf="child.strict.example"), "fail")
        self.assertEqual(self.word("child.strict.example", dkim=["strict.example"]), "fail")

    def test_spf_and_dkim_are_strict_on_their_own(self) -> None:
        self.assertEqual(self.word("dkim.example", spf="a.dkim.example"), "pass")
        self.assertEqual(self.word("dkim.example", dkim=["a.dkim.example"]), "fail")

    def test_another_organization_is_not_aligned(self) -> None:
        found = self.evaluate("child.example.com", spf="example.net", dkim=["example.org"])
        self.assertEqual((found.word, [one.is_aligned for one in found.identifiers]), ("fail", [False, False]))
        self.assertEqual(found.identifiers[0].organizational_domain, "example.net")

    def test_a_part_that_is_its_own_organization_is_not_aligned(self) -> None:
        self.assertEqual(self.word("example.com", dkim=["mail.part.example.com"]), "fail")
        self.assertEqual(self.word("part.example.com", dkim=["example.com"]), "fail")

    def test_neighbours_below_a_public_suffix_are_not_aligned(self) -> None:
        self.assertEqual(self.word("giant.suffix.example", dkim=["mega.suffix.example"]), "fail")
        self.assertEqual(self.word("giant.suffix.example", dkim=["suffix.example"]), "fail")
        self.assertEqual(self.word("giant.suffix.example", spf="mail.giant.suffix.example"), "pass")

    def test_one_aligned_signature_is_enough(self) -> None:
        self.assertEqual(self.word("example.com", dkim=["example.net", "a..b", "", "mail.example.com"]), "pass")

    def test_without_authentication_it_fails(self) -> None:
        self.assertEqual(self.word("example.com"), "fail")


class TroubleTest(DmarcTestCase):
    """RFC 9989 §5.3.6."""

    ZONE = """
_dmarc.example.com. TXT "v=DMARC1; p=reject; np=reject"
_dmarc.mail.example.com. TXT "v=DMARC1; p=reject"
"""

    def test_a_record_that_is_not_to_be_had_is_temporary(self) -> None:
        for fault in ("servfail", "silence"):
            self.names.faults["_dmarc.example.com"] = fault
            found = self.evaluate("news.example.com", spf="news.example.com")
            self.assertEqual((found.word, found.policy, found.policy_domain), ("temperror", "none", ""))

    def test_the_same_domain_is_aligned_whatever_is_above(self) -> None:
        self.names.faults["_dmarc.com"] = "servfail"
        found = self.evaluate("mail.example.com", dkim=["mail.example.com"])
        self.assertEqual(
            (found.word, found.policy_domain, found.organizational_domain), ("pass", "mail.example.com", "")
        )
        self.assertEqual(self.evaluate("mail.example.com", dkim=["example.com"]).word, "temperror")

    def test_trouble_with_one_identifier_does_not_hide_another(self) -> None:
        self.names.faults["_dmarc.example.net"] = "servfail"
        self.assertEqual(self.evaluate("example.com", spf="example.net", dkim=["a.example.com"]).word, "pass")
        self.assertEqual(self.evaluate("example.com", spf="example.net").word, "temperror")

    def test_whether_the_domain_exists_matters_for_a_fail_only(self) -> None:
        self.names.faults["news.example.com"] = "servfail"
        self.assertEqual(self.evaluate("news.example.com").word, "temperror")
        self.assertEqual(self.evaluate("news.example.com", spf="example.com").word, "pass")

    def test_an_author_domain_must_be_one(self) -> None:
        for author in ("", "a..example", f"{'x' * 64}.example"):
            self.assertEqual(self.evaluate(author, spf="example.com").word, "permerror")
