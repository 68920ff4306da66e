"""A company's colour as the shades that our public pages need, on light paper and on dark."""

from __future__ import annotations

from dataclasses import dataclass

from mailsales.colors import BLACK, EDGE, TEXT, WHITE, against, ink_on, mix

# the grounds of static/css/tokens.css: --surface, --bg, --surface-sunk
LIGHT = ["#ffffff", "#f6f5f2", "#f1efeb"]
DARK = ["#1c1f26", "#14161b", "#15181d"]


@dataclass(frozen=True, slots=True)
class Shades:
    """`accent` fills, with `ink` on it, `hover` while pointed at; `text` is read on every ground, also on `soft`."""

    accent: str
    hover: str
    ink: str
    text: str
    soft: str
    line: str


def shades_of(color: str) -> tuple[Shades, Shades]:
    """Return the shades for light and for dark, as near to the colour "#1f3a93" as reading allows."""
    return _shades(color, LIGHT, soft=0.09), _shades(color, DARK, soft=0.16)


def _shades(color: str, grounds: list[str], *, soft: float) -> Shades:
    accent = against(color, grounds, EDGE)
    ink, ground = ink_on(accent), mix(grounds[0], color, soft)
    hover = mix(accent, BLACK if ink == WHITE else WHITE, 0.15)  # away from the ink
    return Shades(accent, hover, ink, against(color, [*grounds, ground], TEXT), ground, mix(grounds[0], accent, 0.35))
