from __future__ import annotations

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from accounts.palettes import DARK, LIGHT, shades_of
from mailsales.colors import BLACK, WHITE, against, contrast, ink_on, luminance, mix

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


class ColorsTestCase(TestCase):
    def test_contrast_is_that_of_wcag(self) -> None:
        self.assertEqual(contrast(BLACK, WHITE), 21)
        self.assertEqual(contrast("#777777", "#777777"), 1)
        self.assertAlmostEqual(contrast("#777777", WHITE), 4.48, places=2)
        self.assertAlmostEqual(contrast("#ff0000", WHITE), 4.0, places=2)

    def test_luminance_goes_from_black_to_white(self) -> None:
        self.assertEqual((luminance(BLACK), luminance(WHITE)), (0, 1))

    def test_a_mixture_lies_between(self) -> None:
        self.assertEqual(mix(BLACK, WHITE, 0.5), "#808080")
        self.assertEqual((mix("#123456", WHITE, 0), mix("#123456", "#abcdef", 1)), ("#123456", "#abcdef"))

    def test_a_colour_that_can_be_read_stays(self) -> None:
        self.assertEqual(against("#1f3a93", [WHITE], 4.5), "#1f3a93")

    def test_a_pale_colour_is_darkened_on_white(self) -> None:
        shade = against("#ffd400", [WHITE], 4.5)
        self.assertGreaterEqual(contrast(shade, WHITE), 4.5)
        self.assertLess(luminance(shade), luminance("#ffd400"))

    @given(COLORS)
    def test_the_ink_can_be_read_on_any_colour(self, color: str) -> None:
        self.assertGreaterEqual(contrast(ink_on(color), color), 4.5)


class PaletteTestCase(TestCase):
    @given(COLORS)
    def test_text_can_be_read_wherever_it_stands(self, color: str) -> None:
        for shades, grounds in zip(shades_of(color), (LIGHT, DARK), strict=True):
            for ground in (*grounds, shades.soft):
                self.assertGreaterEqual(contrast(shades.text, ground), 4.5)

    @given(COLORS)
    def test_buttons_can_be_seen_and_read(self, color: str) -> None:
        for shades, grounds in zip(shades_of(color), (LIGHT, DARK), strict=True):
            for fill in (shades.accent, shades.hover):
                self.assertGreaterEqual(contrast(shades.ink, fill), 4.5)
            self.assertTrue(all(contrast(shades.accent, ground) >= 3 for ground in grounds))
