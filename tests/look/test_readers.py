"""What a reader does on a phone, without a cookie of ours: leave, come back, take a break, read another language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.look.site import Site

pytestmark = pytest.mark.django_db  # what the server shows is committed before the first test


@pytest.fixture
def phone(site: Site) -> Iterator[Page]:
    window = site.browser.new_context(
        viewport={"width": 375, "height": 780}, locale="en-GB", base_url=site.url, java_script_enabled=False
    )
    yield window.new_page()
    window.close()


def test_a_reader_leaves_a_list_and_comes_back(site: Site, phone: Page) -> None:
    phone.goto(f"/u/{site.world.tokens['unsubscribe']}")
    phone.get_by_role("button", name="Unsubscribe").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("You have been unsubscribed")
    phone.get_by_label("Too many emails").check()
    phone.get_by_role("button", name="Send answer").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
    phone.goto(f"/u/{site.world.tokens['unsubscribe']}/preferences")
    expect(phone.get_by_label("青葉だより")).not_to_be_checked()
    phone.get_by_label("青葉だより").check()
    phone.get_by_role("button", name="Save these choices").click()
    expect(phone.get_by_label("青葉だより")).to_be_checked()


def test_a_reader_takes_a_break_and_ends_it(site: Site, phone: Page) -> None:
    phone.goto(f"/u/{site.world.tokens['unsubscribe']}/preferences")
    phone.get_by_label("Take a break").select_option("30")
    phone.get_by_role("button", name="Save these choices").click()
    expect(phone.get_by_role("status")).to_have_text("Your choices are saved.")
    phone.get_by_label("Take a break").select_option("End the break now")
    phone.get_by_role("button", name="Save these choices").click()
    expect(phone.get_by_label("Take a break")).to_contain_text("No break")


def test_a_reader_chooses_a_language(site: Site, phone: Page) -> None:
    phone.goto(f"/u/{site.world.tokens['unsubscribe']}/preferences")
    phone.get_by_role("button", name="日本語").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("受け取る内容を選ぶ")
    phone.get_by_role("link", name="メールアドレスを変える").click()
    expect(phone.locator("html")).to_have_attribute("lang", "ja")


def test_the_company_s_logo_and_colour_are_worn(site: Site, phone: Page) -> None:
    phone.goto(f"/u/{site.world.tokens['unsubscribe']}")
    logo = phone.get_by_role("img", name="株式会社青葉商店").bounding_box()
    assert logo
    assert logo["width"] > 100  # it was loaded
    button = phone.get_by_role("button").first
    expect(button).not_to_have_css("background-color", "rgb(40, 80, 158)")  # --accent of tokens.css
