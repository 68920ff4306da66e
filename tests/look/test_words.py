from __future__ import annotations

import re
from unittest import TestCase

from tests.look import words

NAMED = re.compile(r"%\((\w+)\)")


class WordsTest(TestCase):
    def test_every_word_has_its_japanese(self) -> None:
        self.assertEqual(sorted(words.used() - words.known().keys(), key=str), [])

    def test_no_translation_is_empty_or_fuzzy(self) -> None:
        bad = [key for key, message in words.known().items() if message.fuzzy or not all(words.translations(message))]
        self.assertEqual(bad, [])

    def test_the_catalogue_holds_nothing_that_is_unused(self) -> None:
        self.assertEqual(sorted(words.known().keys() - words.used(), key=str), [])

    def test_translations_name_no_value_that_the_word_lacks(self) -> None:
        wrong = [
            key
            for key, message in words.known().items()
            for text in words.translations(message)
            if not set(NAMED.findall(text)) <= set(NAMED.findall(str(message.id)))
        ]
        self.assertEqual(wrong, [])
