"""Make the pictures of the README from a running `make run` with its demo:

.venv/bin/python docs/images/shoot.py        (needs requirements/dev.txt and Chromium)
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("MAILSALES_VAR", ROOT / "var"))
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
SIZE = {"width": 1280, "height": 800}


def sign_in(page: Page) -> None:
    login, password = (VAR / "demo.txt").read_text().split()
    page.goto("/auth/login/")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.locator("button.button--primary").click()
    page.wait_for_selector(".shell__main")


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(800)
    page.screenshot(path=Path(__file__).parent / f"{name}.png")


def main() -> int:
    stack = VAR / "run" / "stack.json"
    if not stack.exists():
        print("Start `make run` first.", file=sys.stderr)
        return 1
    port = json.loads(stack.read_text())["port"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        window = browser.new_context(base_url=f"http://localhost:{port}", viewport=SIZE, locale="ja-JP")  # type: ignore[arg-type]
        page = window.new_page()
        sign_in(page)
        page.goto("/campaigns/")
        page.locator("a.table__link[href*='/report/']").first.click()
        shoot(page, "report")
        page.goto("/campaigns/")
        page.locator("a.table__link[href*='/edit/']").first.click()
        page.wait_for_selector("#campaign-form")
        shoot(page, "editor")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
