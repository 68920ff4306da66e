"""The words of findings, by their code: what is found, then what is wrong and what to change."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = tuple[str | Promise, str | Promise]

PROOF: dict[str, Words] = {
    "proof_good": (_("The domain is yours"), _("The record at %(name)s proves it.")),
    "proof_missing": (
        _("The proof of ownership is missing"),
        _("We found no record at %(name)s. Add it, then check again."),
    ),
    "proof_other": (
        _("The proof of ownership is another one"),
        _("At %(name)s stands “%(seen)s”. Add the record of this account beside it, or instead of it."),
    ),
    "proof_held": (
        _("Another account holds this domain"),
        _(
            "Your record is right, but another account of this installation sends from %(domain)s. "
            "The domain passes to you when the record of that account has been gone from DNS for 30 days."
        ),
    ),
    "zone_good": (_("The domain exists"), _("We asked the name servers of %(zone)s.")),
    "zone_missing": (
        _("The domain does not exist"),
        _("DNS knows no %(name)s. Check how it is written, and whether it is still registered."),
    ),
}
SPF: dict[str, Words] = {
    "spf_good": (
        _("Our servers may send"),
        _("The record of %(name)s allows %(addresses)s. It takes %(lookups)s of 10 lookups."),
    ),
    "spf_missing": (
        _("There is no SPF record"),
        _("%(name)s has none, so receivers cannot tell who may send. Add it."),
    ),
    "spf_two": (
        _("There are %(count)s SPF records"),
        _("%(name)s may have only one, and receivers heed neither. Replace them by the one shown here."),
    ),
    "spf_lookups": (
        _("The SPF record takes too many lookups"),
        _(
            "With its includes, the record of %(name)s takes more than 10, and counts as broken. "
            "Remove includes of services that you no longer use; “%(term)s” is one too many."
        ),
    ),
    "spf_voids": (
        _("The SPF record names what does not exist"),
        _("More than two names in the record of %(name)s lead nowhere, so it counts as broken. Remove “%(term)s”."),
    ),
    "spf_term": (
        _("The SPF record has a mistake"),
        _("“%(term)s” in the record of %(domain)s cannot be read, so the whole record counts as broken. Correct it."),
    ),
    "spf_no_record": (
        _("The SPF record leads to one that is missing"),
        _("“%(term)s” in the record of %(of)s names %(domain)s, which has no SPF record. Remove it."),
    ),
    "spf_hosts": (
        _("The SPF record names too many mail servers"),
        _(
            "“%(term)s” leads to more than 10 mail servers, so the record counts as broken. Name their addresses instead."
        ),
    ),
    "spf_not_covered": (
        _("The SPF record leaves our servers out"),
        _("The record of %(name)s does not allow %(addresses)s. Replace it by the one shown here."),
    ),
    "spf_everyone": (
        _("The SPF record lets everybody send"),
        _("“%(term)s” in the record of %(name)s allows the whole world. End it with “~all”."),
    ),
    "spf_open": (
        _("The SPF record forbids nobody"),
        _("The record of %(name)s does not say what of other servers. End it with “~all”."),
    ),
    "spf_no_addresses": (
        _("SPF cannot be checked"),
        _("This installation does not know from which addresses it sends. Ask its operator to set SENDING_ADDRESSES."),
    ),
    "spf_trouble": (_("SPF could not be checked"), _("The name servers do not answer: %(detail)s")),
}
DKIM: dict[str, Words] = {
    "dkim_good": (_("The key is there"), _("The record at %(name)s is the key that signs.")),
    "dkim_next_good": (_("The next key is there"), _("It takes over when the present one is six months old.")),
    "dkim_missing": (
        _("The key is missing"),
        _("There is nothing at %(name)s. Without it no signature can be verified."),
    ),
    "dkim_next_missing": (
        _("The next key is missing"),
        _("There is nothing at %(name)s. Add it now, so that the keys can change without a gap."),
    ),
    "dkim_other": (
        _("Another key is there"),
        _("The key at %(name)s is not ours, so our signatures fail. Replace the record by the one shown here."),
    ),
    "dkim_cut": (
        _("The key is not complete"),
        _(
            "The record at %(name)s breaks off, or was split into several records. "
            "It must be one TXT record, of several strings in quotes if it is longer than 255 characters."
        ),
    ),
    "dkim_two": (
        _("There are %(count)s records for one key"),
        _("Receivers cannot tell which of them at %(name)s counts. Keep the one shown here alone."),
    ),
    "dkim_revoked": (
        _("The key is revoked"),
        _("The record at %(name)s has an empty key, which means that it is invalid. Replace it by the one shown here."),
    ),
    "dkim_invalid": (
        _("The key’s record has a mistake"),
        _("“%(tag)s” at %(name)s keeps receivers from using the key. Replace the record by the one shown here."),
    ),
    "dkim_testing": (
        _("The key is marked as a test"),
        _("With “t=y” at %(name)s receivers may ignore the signature. Remove it."),
    ),
    "dkim_old_kept": (
        _("A replaced key is still needed"),
        _("Leave the record at %(name)s until %(until)s: mail on its way is verified with it."),
    ),
    "dkim_old_stale": (
        _("An old key may go"),
        _("Nothing is signed with it any more. You may remove the record at %(name)s."),
    ),
}
DMARC: dict[str, Words] = {
    "dmarc_own": (_("DMARC is set up"), _("The policy of %(name)s is “%(policy)s”.")),
    "dmarc_inherited": (
        _("DMARC is set up for the domain above"),
        _("%(name)s has no record of its own, so the policy of %(of)s applies: “%(policy)s”."),
    ),
    "dmarc_missing": (
        _("There is no DMARC record"),
        _("Gmail and docomo may show a warning on emails without it. Add the record at %(name)s."),
    ),
    "dmarc_two": (
        _("There are %(count)s DMARC records"),
        _("Receivers heed none of those at %(name)s. Keep one."),
    ),
    "dmarc_invalid": (
        _("The DMARC record has a mistake"),
        _("“%(seen)s” at %(name)s cannot be read. Replace it by the one shown here."),
    ),
    "dmarc_no_reports": (
        _("DMARC is set up, without reports"),
        _("The policy is “%(policy)s”. Add “rua=mailto:…” to the record at %(name)s to learn who sends as you."),
    ),
    "dmarc_strict": (
        _("DMARC demands the very same domain"),
        _(
            "“aspf=s” at %(name)s rules out the return address, which is below your domain. "
            "The DKIM signature alone must pass."
        ),
    ),
}
RETURNS: dict[str, Words] = {
    "return_good": (_("What comes back reaches us"), _("The MX record of %(name)s leads to %(host)s.")),
    "return_mailbox": (_("What comes back is read from a mailbox"), _("It is that of %(name)s.")),
    "return_missing": (
        _("The return address leads nowhere"),
        _("%(name)s has no MX record, so errors do not come back, and many servers refuse such mail. Add it."),
    ),
    "return_other": (
        _("The return address leads elsewhere"),
        _("The MX record of %(name)s leads to %(seen)s. It must lead to %(host)s alone."),
    ),
}
SENDER: dict[str, Words] = {
    "align_both": (
        _("SPF and DKIM match the sender’s domain"),
        _("Mail from %(name)s passes DMARC in two ways."),
    ),
    "align_dkim": (
        _("Only DKIM matches the sender’s domain"),
        _(
            "Mail passes DMARC by its signature alone. Once SPF is right as well, it passes even when it is forwarded or changed."
        ),
    ),
    "align_spf": (
        _("Only SPF matches the sender’s domain"),
        _("Mail passes DMARC by its path alone, and fails where it is forwarded. Publish the signing key."),
    ),
    "align_none": (
        _("Mail would fail DMARC"),
        _("Neither SPF nor DKIM passes for %(name)s. Publish the signing key first."),
    ),
    "from_good": (_("The domain can receive mail"), _("It leads to %(hosts)s, as docomo and others demand.")),
    "from_null_mx": (
        _("The domain says that it takes no mail"),
        _(
            "With the MX record “0 .” of %(name)s many servers refuse mail from it. Remove that record, or name a mail server."
        ),
    ),
    "from_nothing": (
        _("The domain has no server"),
        _("%(name)s has neither an MX nor an A record. docomo refuses mail from such a domain. Add one of them."),
    ),
    "identity_good": (_("The sending address has its name"), _("%(address)s is %(name)s, forth and back.")),
    "identity_no_name": (
        _("Our servers have no full name"),
        _("They greet as “%(name)s”, which is no name in DNS. The operator of this installation must set EHLO_NAME."),
    ),
    "identity_no_ptr": (
        _("The sending address has no name"),
        _(
            "%(address)s has no PTR record, and Gmail refuses its mail. The operator of this installation must have it set to %(name)s."
        ),
    ),
    "identity_other": (
        _("The sending address has another name"),
        _(
            "The PTR record of %(address)s names %(seen)s, and our servers greet as %(name)s. The operator must make them the same."
        ),
    ),
    "identity_not_back": (
        _("The name does not lead back"),
        _(
            "The PTR record of %(address)s names %(name)s, which has another address. The operator must add an A or AAAA record."
        ),
    ),
}
REST: dict[str, Words] = {
    "tracking_good": (_("Links carry your own name"), _("%(name)s leads to %(host)s, with a valid certificate.")),
    "tracking_missing": (
        _("The name for links is missing"),
        _("There is no %(name)s. Until it is there, links lead to %(host)s."),
    ),
    "tracking_other": (
        _("The name for links leads elsewhere"),
        _("%(name)s leads to %(seen)s, not to %(host)s. Until it does, links lead to %(host)s."),
    ),
    "tracking_no_certificate": (
        _("The name for links has no certificate yet"),
        _(
            "%(name)s is right, but the server has no certificate for it. The operator of this installation must add one."
        ),
    ),
    "mta_sts_good": (_("MTA-STS is announced"), _("Mail to you comes encrypted.")),
    "mta_sts_missing": (_("No MTA-STS"), _("Only for mail to you. It also needs a file on your web server.")),
    "tlsrpt_good": (_("Reports are asked for"), _("Others tell you when encryption to your servers fails.")),
    "tlsrpt_missing": (_("No TLSRPT"), _("Only for mail to you.")),
    "bimi_good": (_("A logo is announced"), _("Some mailboxes show it, if DMARC demands “quarantine” or “reject”.")),
    "bimi_missing": (_("No logo"), _("Some mailboxes show one. It needs a DMARC policy of “quarantine” or “reject”.")),
    "trouble": (_("It could not be checked"), _("The name servers do not answer: %(detail)s")),
}
WORDS: dict[str, Words] = {**PROOF, **SPF, **DKIM, **DMARC, **RETURNS, **SENDER, **REST}
