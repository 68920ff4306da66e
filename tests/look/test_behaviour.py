"""What the small scripts of the pages do, and that the strict policy lets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from campaigns.rich import STYLE_HASH
from mailsales import wall
from tests.look.site import Site

pytestmark = pytest.mark.django_db
TYPED = "新茶の季節です。"


@pytest.fixture
def tab(site: Site) -> Iterator[Tab]:
    window = site.window("alice", "en")
    yield window.new_page()
    window.close()


def edit(site: Site, name: str) -> str:
    return reverse("campaigns:campaign_edit", args=[site.world.rows[name]])


def saved(tab: Tab) -> None:
    expect(tab.locator("#autosave")).to_contain_text("Saved automatically")


def test_what_is_written_is_saved_and_shown(site: Site, tab: Tab) -> None:
    tab.goto(edit(site, "draft"))
    tab.locator(".ProseMirror").press_sequentially(TYPED)
    saved(tab)
    expect(tab.frame_locator(".preview__page").locator("body")).to_contain_text(TYPED)


def test_the_tools_of_the_rich_editor_work(site: Site, tab: Tab) -> None:
    tab.goto(edit(site, "draft"))
    tab.locator(".ProseMirror p").last.click()
    tab.get_by_role("button", name="Bullet list").click()
    expect(tab.locator(".ProseMirror ul")).to_have_count(1)
    expect(tab.get_by_role("button", name="Bullet list")).to_have_attribute("aria-pressed", "true")


def test_a_link_is_set_in_a_dialog(site: Site, tab: Tab) -> None:
    tab.goto(edit(site, "draft"))
    tab.locator(".ProseMirror h2").select_text()
    tab.get_by_role("button", name="Link", exact=True).click()
    tab.get_by_label("Address (URL)").fill("https://example.jp/")
    tab.get_by_role("button", name="Set link").click()
    expect(tab.locator('.ProseMirror h2 a[href="https://example.jp/"]')).to_have_count(1)


@pytest.mark.parametrize(("name", "area"), [("draft", ".ProseMirror"), ("code", "textarea[data-code]")])
def test_a_merge_tag_is_inserted(site: Site, tab: Tab, name: str, area: str) -> None:
    tab.goto(edit(site, name))
    tab.locator(area).click()
    tab.get_by_text("Merge tags", exact=True).click()
    tab.get_by_role("button", name="会員番号").click()
    tab.keyboard.type("X")  # the caret stands between the quotes of the default
    saved(tab)
    text = tab.locator(area).inner_text() if name == "draft" else tab.locator(area).input_value()
    assert '{{ member_no | default: "X" }}' in text


def test_the_preview_is_of_whom_one_chooses(site: Site, tab: Tab) -> None:
    tab.goto(edit(site, "draft"))
    tab.get_by_label("The email this person gets").fill("hanako.sato@example.jp")
    tab.keyboard.press("Tab")
    expect(tab.frame_locator(".preview__page").locator("body")).to_contain_text("佐藤 花子 様")


def test_the_rich_editor_injects_the_style_that_the_policy_knows(site: Site, tab: Tab) -> None:
    """A new release of the editor may change its one style: then this names the hash to put into `STYLE_HASH`."""
    without = lambda route: route.fulfill(response=(got := route.fetch()), headers=_without_hash(got.headers))  # noqa: E731
    asked = []
    tab.on("console", lambda message: asked.extend(re.findall(r"'sha256-[^']+'", message.text)))
    tab.route("**/edit/", without)
    tab.goto(edit(site, "draft"))
    tab.wait_for_selector(".ProseMirror")
    assert set(asked) == {STYLE_HASH}


def _without_hash(headers: dict[str, str]) -> dict[str, str]:
    name = "content-security-policy"
    return {**headers, name: headers[name].replace(STYLE_HASH, "")}


def test_a_question_is_modal_and_escape_goes_back(site: Site, tab: Tab) -> None:
    tab.goto(reverse("campaigns:campaign_delete", args=[site.world.rows["draft"]]))
    assert tab.evaluate("document.querySelector('dialog:modal') !== null")
    tab.keyboard.press("Escape")
    tab.wait_for_url("**/edit/")
    assert urlsplit(tab.url).path == edit(site, "draft")


def test_a_menu_closes_with_escape(site: Site, tab: Tab) -> None:
    tab.goto(reverse("accounts:security"))
    menu = tab.locator(".sidebar details.menu")
    menu.locator("summary").click()
    expect(menu).to_have_attribute("open", "")
    tab.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")


def test_a_minute_before_the_end_the_page_asks(site: Site, tab: Tab) -> None:
    tab.clock.install()
    tab.goto(reverse("accounts:security"))
    tab.clock.fast_forward("14:10")
    expect(tab.get_by_role("heading", name="You will be signed out soon")).to_be_visible()
    with tab.expect_response("**/security/stay/"):
        tab.get_by_role("button", name="Keep working").click()
    expect(tab.locator("#idle")).not_to_be_visible()


def test_filters_swap_the_table_alone(site: Site, tab: Tab) -> None:
    tab.goto(reverse("campaigns:campaign_list"))
    tab.evaluate("window.isSame = true")
    tab.locator(".chip", has_text="Draft").click()
    expect(tab.locator(".chip--on")).to_contain_text("Draft")
    assert tab.evaluate("window.isSame")
    assert tab.url.endswith("status=draft")


def test_the_server_acts_behind_the_wall(site: Site) -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(_current_user).result() == wall.ROLE


def _current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        name = str(cursor.fetchone()[0])
    connection.close()
    return name


def test_a_record_is_copied_by_a_button(site: Site, tab: Tab) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(reverse("accounts:domain_detail", args=[site.world.rows["domain_4"]]))
    record = tab.locator("#record-proof")
    record.get_by_role("button", name="Copy the value of Proof of ownership").click()
    expect(tab.get_by_role("status").filter(has_text="Copied.")).to_have_count(1)
    assert tab.evaluate("navigator.clipboard.readText()") == record.locator("[data-value]").text_content()


def test_without_a_clipboard_the_value_is_selected(site: Site, tab: Tab) -> None:
    tab.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    tab.goto(reverse("accounts:domain_detail", args=[site.world.rows["domain_4"]]))
    record = tab.locator("#record-proof")
    record.get_by_role("button", name="Copy the value of Proof of ownership").click()
    assert tab.evaluate("getSelection().toString()") == record.locator("[data-value]").text_content()
