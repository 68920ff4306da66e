"""Every page as a browser shows it: axe, sideways scrolling, the strict policy, double ids, classes without a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page as Tab

from tests.look import styles
from tests.look.pages import PAGES, Page
from tests.look.site import Site

pytestmark = pytest.mark.django_db  # what the server shows is committed before the first test
WIDTHS = {1440: 900, 375: 780}
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RUN_AXE = """async (rules) => {
  const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
  const { violations } = await axe.run(document, { ...only, resultTypes: ["violations"], preload: false });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => [id, html.slice(0, 200)]));
}"""
IDS = "[...document.querySelectorAll('[id]')].map((element) => element.id)"
CLASSES = "[...new Set([...document.querySelectorAll('[class]')].flatMap((element) => [...element.classList]))]"
FORMS = "[...document.querySelectorAll('.shell form[method=post]')].filter((f) => !f.querySelector('[name=account]')).map((f) => f.action)"
SWITCHES = ("/account/switch/", "/language/")  # they are about no account


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_page(site: Site, page: Page) -> None:
    assert list(_faults(site, page)) == []


def _faults(site: Site, page: Page) -> Iterator[str]:
    for lang in ("ja", "en"):
        tab = site.shared_window(page.who, lang).new_page()
        said = _listen(tab)
        response = tab.goto(page.path(site.world))
        if page.ready:
            tab.wait_for_selector(page.ready)
        yield from [] if response and response.status == page.status else [f"answered {response and response.status}"]
        yield from (f"{lang}: {fault}" for fault in _seen(tab, lang))
        yield from [line for line in said if page.status == 200 or "Failed to load resource" not in line]
        tab.close()


def _listen(tab: Tab) -> list[str]:
    """Return a list that will hold what the browser complains of: faults of scripts, and what the policy forbade."""
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    return said


def _seen(tab: Tab, lang: str) -> Iterator[str]:
    """Look with all of axe at a large page in Japanese and a small one in English, and at the colours of the others."""
    tab.evaluate(AXE)
    for width in (1440, 375):
        tab.set_viewport_size({"width": width, "height": WIDTHS[width]})
        wide = tab.evaluate("document.documentElement.scrollWidth") - width
        yield from [f"{width}: {wide} px too wide"] if wide > 0 else []
        if (width, lang) in ((1440, "ja"), (375, "en")):
            tab.emulate_media(color_scheme="light")
            yield from _violations(tab, f"{width} light")
        if lang == "ja":
            tab.emulate_media(color_scheme="dark")
            yield from _violations(tab, f"{width} dark", ["color-contrast"])
    twice = [name for name, count in Counter(tab.evaluate(IDS)).items() if count > 1]
    yield from [f"id used twice: {name}" for name in twice]
    yield from [f"class without a rule: {name}" for name in set(tab.evaluate(CLASSES)) - styles.classes()]
    yield from [f"form without the account: {url}" for url in tab.evaluate(FORMS) if not url.endswith(SWITCHES)]


def _violations(tab: Tab, where: str, rules: list[str] | None = None) -> Iterator[str]:
    """Return what axe objects to. Only that crosses over from the browser: the rest of its report is large."""
    for rule, html in tab.evaluate(RUN_AXE, rules):
        yield f"{where}: {rule}: {html}"
