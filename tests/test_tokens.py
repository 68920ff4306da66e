from __future__ import annotations

import re

from django.test import SimpleTestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st

from mailsales import tokens

IDS = st.integers(min_value=0, max_value=2**63 - 1)
NUMBERS = st.integers(min_value=1, max_value=2**15 - 1)
NUMBER = re.compile(r"[1-9][0-9]{0,4}")


class TokensTestCase(SimpleTestCase):
    @given(account=IDS, message=IDS, number=NUMBERS)
    def test_a_link_comes_back_as_it_was(self, account: int, message: int, number: int) -> None:
        token = tokens.link_token(account, message, number)
        self.assertEqual(tokens.read_link_token(token), tokens.Token(account, message, number))

    @given(account=IDS, message=IDS)
    def test_a_bounce_token_survives_the_folding_of_case(self, account: int, message: int) -> None:
        token = tokens.bounce_token(account, message)
        self.assertLessEqual(len("b+" + token), 64)
        self.assertEqual(tokens.read_bounce_token(token.upper()), tokens.Token(account, message))

    @given(account=IDS, message=IDS, number=NUMBERS)
    def test_a_stamp_makes_the_same_tokens(self, account: int, message: int, number: int) -> None:
        said = tokens.contents(account, message)
        stamped = tokens.link_text(tokens.Stamp(tokens.LINK)(said)) + tokens.numbered(number)
        self.assertEqual(stamped, tokens.link_token(account, message, number))
        in_address = tokens.address_text(tokens.Stamp(tokens.BOUNCE)(said))
        self.assertEqual(in_address, tokens.bounce_token(account, message))

    @given(number=st.text(alphabet="0123456789.-+ ０１", max_size=7).filter(lambda text: not NUMBER.fullmatch(text)))
    def test_what_is_no_number_of_a_link_is_refused(self, number: str) -> None:
        with self.assertRaises(tokens.BadToken):
            tokens.read_link_token(tokens.link_token(1, 2, 3).removesuffix("3") + number)

    def test_the_message_of_a_link_cannot_be_changed(self) -> None:
        mine, other = tokens.link_token(1, 2, 3), tokens.link_token(1, 4, 3)
        for forged in (mine[:4] + other[4:], mine[:-3] + other[-3:] + "x", mine.replace(".", ""), mine + ".1"):
            with self.assertRaises(tokens.BadToken):
                tokens.read_link_token(forged)

    @given(text=st.text(max_size=60))
    def test_what_was_not_made_here_is_refused(self, text: str) -> None:
        for read in (tokens.read_link_token, tokens.read_bounce_token):
            with self.assertRaises(tokens.BadToken):
                read(text)

    def test_a_token_is_good_for_its_kind_alone(self) -> None:
        with self.assertRaises(tokens.BadToken):
            tokens.read_open_token(tokens.unsubscribe_token(1, 2))

    def test_old_keys_still_verify(self) -> None:
        with override_settings(SECRET_KEY="old", SECRET_KEY_FALLBACKS=[]):
            token = tokens.unsubscribe_token(1, 2)
        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
            self.assertEqual(tokens.read_unsubscribe_token(token), tokens.Token(1, 2))
        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]), self.assertRaises(tokens.BadToken):
            tokens.read_unsubscribe_token(token)

    def test_the_first_tokens_are_still_read(self) -> None:
        with override_settings(SECRET_KEY="first", SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(tokens.read_link_token("B-ckA8XKgC5HVpr-Lg"), tokens.Token(7, 4711, 3))
            self.assertEqual(tokens.read_bounce_token("a7tsii3dbtpguvyingna"), tokens.Token(7, 4711))
            self.assertEqual(tokens.read_unsubscribe_address_token("a7tsivno6bwjd63tgp3a"), tokens.Token(7, 4711))
