from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any, cast

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import merge
from delivery.compose import Composer, Recipient, Rendition, Unsendable, date_header, freeze
from delivery.dkim import Signers
from delivery.mime import Part, crlf, mailbox, unstructured
from mailsales import tokens
from mailsales.reasons import Reason
from tests.make import make_content

NOW = 1_795_000_000
DATE = date_header(NOW)
HANAKO = Recipient(4711, "hanako@example.jp", "佐藤 花子", {"points": "1200"})
JAPANESE = st.text(alphabet="あア漢字髙𠮷①ー。、 \n<&>\"'abc=?.", max_size=120)


def composer(**fields: Any) -> Composer:
    return Composer(Rendition.load(freeze(make_content(**fields))), Signers([]), "https://t.example.jp")


def composed(recipient: Recipient = HANAKO, **fields: Any) -> bytes:
    return composer(**fields).compose(recipient, DATE, NOW).body


def parsed(recipient: Recipient = HANAKO, **fields: Any) -> EmailMessage:
    return message_from_bytes(composed(recipient, **fields), policy=default)


def bodies(message: EmailMessage) -> list[str]:
    return [cast(bytes, part.get_payload(decode=True)).decode() for part in message.iter_parts()]


class HeadersTestCase(SimpleTestCase):
    def test_each_header_stands_once(self) -> None:
        message = parsed()
        names = [name.lower() for name in message.keys()]  # noqa: SIM118 -- a message repeats its keys
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(message["From"].addresses[0].display_name, "青葉商店")
        self.assertEqual(message["From"].addresses[0].addr_spec, "tayori@aoba.example.jp")
        self.assertEqual(
            (message["To"], message["Subject"]), ("hanako@example.jp", "佐藤 花子様、新茶フェアを開きます")
        )
        self.assertEqual(int(parsedate_to_datetime(message["Date"]).timestamp()), NOW)

    def test_the_message_id_is_at_the_sending_domain_and_stays(self) -> None:
        first, again = parsed()["Message-ID"], parsed()["Message-ID"]
        self.assertEqual(first, again)
        self.assertRegex(first, r"^<0[0-9a-f]+@aoba\.example\.jp>$")
        self.assertNotEqual(first, parsed(replace(HANAKO, message_id=4712))["Message-ID"])

    def test_the_envelope_sender_and_the_message_id_name_the_message(self) -> None:
        local, _, domain = composer().compose(HANAKO, DATE, NOW).mail_from.decode().partition("@")
        self.assertEqual(tokens.read_bounce_token(local.removeprefix("b+")), tokens.Token(7, 4711))
        self.assertEqual(domain, "bounce.aoba.example.jp")
        self.assertIn(local.removeprefix("b+"), parsed()["Message-ID"])

    def test_one_click_unsubscribes(self) -> None:
        message = parsed()
        web, _, mail = message["List-Unsubscribe"].partition(", ")
        token = web.removeprefix("<https://t.example.jp/u/").removesuffix(">")
        self.assertEqual(tokens.read_unsubscribe_token(token), tokens.Token(7, 4711))
        address = mail.removeprefix("<mailto:u+").partition("@")[0]
        self.assertEqual(tokens.read_unsubscribe_address_token(address), tokens.Token(7, 4711))
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_a_mailbox_takes_what_comes_back(self) -> None:
        made = composer(mailbox="returns@aoba.example.jp")
        local, _, domain = made.compose(HANAKO, DATE, NOW).mail_from.decode().partition("@")
        self.assertEqual(tokens.read_bounce_token(local.removeprefix("returns+b-")), tokens.Token(7, 4711))
        self.assertEqual(domain, "aoba.example.jp")
        self.assertRegex(
            parsed(mailbox="returns@aoba.example.jp")["List-Unsubscribe"], "<mailto:returns[+]u-0[0-9a-f]+@"
        )

    def test_a_mailbox_without_plus_addresses_has_the_token_in_the_subject(self) -> None:
        plain: Any = {"mailbox": "returns@aoba.example.jp", "takes_plus": False}
        self.assertEqual(composer(**plain).compose(HANAKO, DATE, NOW).mail_from, b"returns@aoba.example.jp")
        mail = parsed(**plain)["List-Unsubscribe"].partition(", ")[2]
        token = mail.removeprefix("<mailto:returns@aoba.example.jp?subject=unsubscribe-").removesuffix(">")
        self.assertEqual(tokens.read_unsubscribe_address_token(token), tokens.Token(7, 4711))

    def test_complaints_have_an_address(self) -> None:
        self.assertEqual(parsed()["CFBL-Address"], "fbl@bounce.aoba.example.jp; report=arf")

    def test_list_and_campaign_are_named_for_filters(self) -> None:
        message = parsed()
        self.assertEqual(message["List-Id"], "<list-3.aoba.example.jp>")
        self.assertEqual(message["Feedback-ID"], "12:7:campaign:mailsales")

    @given(name=st.text(max_size=40), subject=st.text(alphabet="\r\n\x00\x85\u2028:あB ", max_size=20))
    @settings(deadline=None, max_examples=60)
    def test_no_value_begins_another_header(self, name: str, subject: str) -> None:
        message = parsed(replace(HANAKO, name=name + "\r\nBcc: x@evil.example\r\n"), subject=subject + "{{ name }}")
        self.assertNotIn("Bcc", message)
        self.assertEqual(len(message.keys()), 12)

    @given(subject=st.text(alphabet="春の新茶フェア髙𠮷 ①abc", max_size=150))
    @settings(deadline=None, max_examples=100)
    def test_a_long_subject_is_folded_between_characters(self, subject: str) -> None:
        value = unstructured("Subject", subject)
        for line in (b"Subject: " + value).split(b"\r\n"):
            self.assertLessEqual(len(line), 76)
        for word in value.split(b"\r\n ") if value.startswith(b"=?") else []:
            self.assertLessEqual(len(word), 75)
        self.assertEqual(str(message_from_bytes(b"Subject: " + value, policy=default)["Subject"]), subject.strip())

    def test_display_names_are_quoted_or_encoded(self) -> None:
        for name in ("Aoba Tea", "Aoba, Inc.", 'The "Tea" \\ Co', "青葉商店（仙台）" * 5, "A" * 80, "=?utf-8?b?eA==?="):
            value = mailbox("From", name, "a@b.example")
            shown, address = parseaddr(value.replace(b"\r\n", b"").decode())  # the policy keeps blanks between words
            self.assertEqual((str(make_header(decode_header(shown))), address), (name, "a@b.example"))
            self.assertLessEqual(max(len(line) for line in (b"From: " + value).split(b"\r\n")), 76)

    def test_carrier_addresses_are_quoted_and_domains_are_a_labels(self) -> None:
        self.assertIn(b'\r\nTo: "abc."@docomo.ne.jp\r\n', composed(replace(HANAKO, address="abc.@docomo.ne.jp")))
        self.assertIn(b"\r\nTo: a@xn--r8jz45g.jp\r\n", composed(replace(HANAKO, address="a@例え.jp")))
        self.assertIn(b"<tayori@xn--r8jz45g.jp>", composed(sender_address="tayori@例え.jp"))

    def test_the_envelope_names_the_recipient_as_the_header_does(self) -> None:
        mail = composer().compose(replace(HANAKO, address="abc.@例え.jp"), DATE, NOW)
        self.assertEqual(mail.recipient, b'"abc."@xn--r8jz45g.jp')
        self.assertIn(b"\r\nTo: " + mail.recipient + b"\r\n", mail.body)

    def test_an_address_that_needs_smtputf8_is_not_sent(self) -> None:
        with self.assertRaises(Unsendable) as caught:
            composed(replace(HANAKO, address="花子@example.jp"))
        self.assertEqual(caught.exception.reason, Reason.SYNTAX)


class PartsTestCase(SimpleTestCase):
    @given(name=JAPANESE, points=JAPANESE, between=JAPANESE, before=st.text(alphabet="あいう<", max_size=90))
    @settings(deadline=None, max_examples=200)
    def test_both_parts_decode_to_exactly_what_was_rendered(
        self, name: str, points: str, between: str, before: str
    ) -> None:
        source = merge.literal(before) + "{{ name }}" + between + '{{ points | default: "0" }}{{ name }}' + between * 3
        recipient = replace(HANAKO, name=name, fields={"points": points})
        values = {"name": name, "points": points}
        text, html = bodies(parsed(recipient, text=source, html=source, kind="test"))
        self.assertEqual(text, crlf(merge.render(source, values)).decode())
        self.assertEqual(html, crlf(merge.render(source, values, html=True)).decode())

    @given(
        pieces=st.lists(st.one_of(st.binary(max_size=200), st.integers(0, 2)), max_size=8),
        values=st.tuples(*[st.binary(max_size=130)] * 3),
    )
    @settings(deadline=None, max_examples=300)
    def test_a_part_encodes_any_bytes(self, pieces: list[bytes | int], values: tuple[bytes, ...]) -> None:
        out: list[bytes] = []
        Part(pieces).encode(values, out)
        encoded = b"".join(out)
        meant = b"".join(values[piece] if isinstance(piece, int) else piece for piece in pieces)
        self.assertEqual(
            message_from_bytes(b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded).get_payload(decode=True), meant
        )
        self.assertTrue(all(0 < len(line) <= 76 for line in encoded.split(b"\r\n")[:-1]))

    def test_it_is_alternative_with_text_first(self) -> None:
        message = parsed()
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        self.assertEqual([part.get_content_type() for part in message.iter_parts()], ["text/plain", "text/html"])
        self.assertEqual(message.defects + [defect for part in message.iter_parts() for defect in part.defects], [])

    @given(name=JAPANESE, text=JAPANESE)
    @settings(deadline=None, max_examples=60)
    def test_it_goes_through_any_mail_system(self, name: str, text: str) -> None:
        raw = composed(replace(HANAKO, name=name), text=merge.literal(text) + "{{ name }}", subject=text + "{{ name }}")
        self.assertTrue(raw.isascii())
        self.assertEqual(raw.replace(b"\r\n", b"").translate(None, b"\r\n"), raw.replace(b"\r\n", b""))
        lines = raw.split(b"\r\n")
        self.assertLessEqual(max(len(line) for line in lines), 998)
        self.assertLessEqual(max(len(line) for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n")), 76)
        self.assertFalse(any(line.startswith(b".") for line in lines))
        self.assertTrue(raw.endswith(b"--\r\n"))

    def test_links_and_pixel_carry_tokens(self) -> None:
        text, html = bodies(parsed())
        token = text.split("https://t.example.jp/c/")[1].split("\r\n")[0]
        self.assertEqual(tokens.read_link_token(token), tokens.Token(7, 4711, 1))
        self.assertIn(f'<a href="https://t.example.jp/c/{token}">新茶</a>', html)
        self.assertEqual(
            tokens.read_open_token(html.split('<img src="https://t.example.jp/o/')[1].split('"')[0]),
            tokens.Token(7, 4711),
        )

    def test_links_within_conditions_carry_the_same_tokens(self) -> None:
        plain = bodies(parsed(text="https://a.example/"))[0]
        self.assertEqual(bodies(parsed(text="{% if name %}https://a.example/{% endif %}"))[0], plain)

    def test_the_mail_can_be_seen_in_a_browser(self) -> None:
        text, _html = bodies(parsed(text="{{ view_url }}"))
        self.assertEqual(tokens.read_view_token(text.removeprefix("https://t.example.jp/v/")), tokens.Token(7, 4711))

    def test_the_page_in_the_browser_is_the_mail_that_was_sent(self) -> None:
        html = "<p>{{ name }}様 {% if points %}{{ points }}{% endif %}</p>" + "本文" * 50
        self.assertEqual(composer(html=html).web_page(HANAKO), bodies(parsed(html=html))[1])

    def test_a_contacts_fields_cannot_replace_our_links(self) -> None:
        fields = {"unsubscribe_url": "https://evil.example/", "_link_1": "x", "name": "別人"}
        text, _html = bodies(parsed(replace(HANAKO, fields=fields)))
        self.assertNotIn("evil", text)
        self.assertTrue(text.startswith("佐藤 花子様"))

    def test_a_value_that_liquid_refuses_is_reported_for_this_recipient_alone(self) -> None:
        made = composer(text="{{ points | divided_by: days }}")
        made.build(replace(HANAKO, fields={"points": 6, "days": 2}), DATE)
        with self.assertRaises(Unsendable) as caught:
            made.build(replace(HANAKO, fields={"points": 6, "days": 0}), DATE)
        self.assertEqual(caught.exception.reason, Reason.CONTENT)


class RenditionTestCase(SimpleTestCase):
    def test_it_comes_back_as_it_was_stored(self) -> None:
        rendition = Rendition.load(memoryview(freeze(make_content())))
        self.assertEqual([link.url for link in rendition.links], ["https://aoba.example.jp/?a=1&b=2"])
        self.assertEqual((rendition.sender_name, rendition.campaign_id), ("青葉商店", 12))

    def test_another_form_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "another version"):
            Rendition.load(b"\x80\x04pickle")

    def test_a_wrong_template_cannot_be_frozen(self) -> None:
        for part in ("subject", "html", "text"):
            with self.assertRaises(merge.MergeError):
                freeze(make_content(**{part: "{{ name"}))


class TestCopyTestCase(SimpleTestCase):
    def test_its_links_lead_straight_to_their_pages(self) -> None:
        text, html = bodies(parsed(kind="test"))
        self.assertIn("https://aoba.example.jp/?a=1&b=2", text)
        self.assertIn('href="https://aoba.example.jp/?a=1&b=2"', html)
        self.assertNotIn("<img", html)

    def test_its_returns_are_known(self) -> None:
        mail = composer(kind="test").compose(HANAKO, DATE, NOW)
        local = mail.mail_from.decode().partition("@")[0]
        self.assertEqual(tokens.read_test_token(local.removeprefix("b+")), tokens.Token(7, 4711))
