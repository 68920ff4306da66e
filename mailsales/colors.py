"""Colours that can be read: contrast as WCAG 2.2 measures it (SC 1.4.3 and 1.4.11; "relative luminance")."""

from __future__ import annotations

WHITE, BLACK = "#ffffff", "#000000"
TEXT, EDGE = 4.5, 3.0  # the least contrast of text, and of what must be told from its ground
STEPS = 50


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours in the form "#1f3a93": from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance: from 0, black, to 1, white."""
    red, green, blue = (_linear(part / 255) for part in _parts(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(color: str, other: str, share: float) -> str:
    """Return the colour with a share, from 0 to 1, of the other in it."""
    pairs = zip(_parts(color), _parts(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def against(color: str, grounds: list[str], least: float) -> str:
    """Return the nearest shade of the colour that has the least contrast to each ground.

    The grounds must all be light, or all dark.
    """
    pole = BLACK if luminance(grounds[0]) > 0.18 else WHITE  # 0.18: as far from white as from black
    shades = (mix(color, pole, step / STEPS) for step in range(STEPS + 1))
    return next(shade for shade in shades if all(contrast(shade, ground) >= least for ground in grounds))


def ink_on(color: str) -> str:
    """Return white or black, whichever is read better; it has 4.5 at the least."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ink, color))


def _parts(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
