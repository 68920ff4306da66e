"""The main job as a person does it: the whole stack, a real browser, a real Shift_JIS file, real mail in the sandbox."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.look.site import CHROMIUM, FLAGS
from tests.stack.running import RunningStack, manage

PASSWORD = "four quiet words here"
MAKE = f"""
from accounts.domains.making import make_domain
from accounts.models import Account, Membership, Sender, User
account = Account.objects.create(name="株式会社青葉商店", postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3", complaint_address="support@aoba.example.jp")
user = User.objects.create_user("misaki", "misaki@aoba.example.jp", "{PASSWORD}", language="en")
Membership.objects.create(account=account, user=user, role="owner")
Sender.objects.create(account=account, domain=make_domain(account, "aoba.example.jp"), name="青葉商店", address="tayori@aoba.example.jp")
"""
HTML = """<h1>新茶フェア</h1><p>{{ name | default: "お客様" }} 様（{{ company }}）</p>
<p><a href="https://www.aoba.example.jp/shincha/">新茶の詳細を見る</a></p>"""
FILE = "\r\n".join(
    [
        "メールアドレス,お名前,会社",
        "hanako.sato@example.jp,佐藤 花子,㈱みどり旅館",
        "ＴＡＲＯ＠example.jp,髙橋 太郎,",
        "abc.def.@docomo.ne.jp,伊藤 誠,①号店",
        "bounce+yamada@example.jp,山田 洋子,",
        "tanaka@example,田中 一郎,",
    ]
)
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
pytestmark = pytest.mark.e2e


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    running = RunningStack()
    try:
        running.wait()
        made = manage("shell", "-c", MAKE, var=running.var)
        assert made.returncode == 0, made.stderr
        yield running
    finally:
        running.clear()


def wait_for(is_true: Callable[[], bool], page: Page, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, page.inner_text("body")
        page.wait_for_timeout(250)


def test_the_main_job(stack: RunningStack) -> None:
    with browser() as chromium, TemporaryDirectory() as folder:
        window = chromium.new_context(
            base_url=f"http://localhost:{stack.state().port}", locale="en-GB", user_agent=AGENT
        )
        page = window.new_page()
        expect.set_options(timeout=30_000)
        page.set_default_timeout(90_000)  # a busy machine is no fault
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        sign_in(page)
        import_file(page, Path(folder))
        write(page, "新茶フェアのご案内")
        send_test(page)
        send(page, people=4)
        read_and_click(page)
        see_report(page)
        unsubscribe(page)
        next_campaign_leaves_them_out(page)
        assert said == []


def sign_in(page: Page) -> None:
    page.goto("/")
    page.fill("[name=login]", "MISAKI@aoba.example.jp")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")


def import_file(page: Page, folder: Path) -> None:
    path = folder / "顧客名簿.csv"
    path.write_bytes(FILE.encode("cp932"))
    page.goto("/imports/create/")
    page.set_input_files("[name=file]", path)
    page.fill("[name=new_list]", "青葉だより")
    page.check("[name=basis][value=consent]")
    page.get_by_role("button", name="Next: check the columns").click()
    expect(page.get_by_label("Character encoding")).to_have_value("cp932")
    expect(page.get_by_text("㈱みどり旅館")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished", timeout=90_000)
    expect(page.get_by_role("row", name=re.compile("tanaka@example"))).to_contain_text("6")
    page.goto("/contacts/?q=髙橋")
    expect(page.locator("#contact-table")).to_contain_text("TARO@example.jp")


def write(page: Page, name: str) -> None:
    page.goto("/campaigns/create/")
    page.fill("[name=name]", name)
    page.select_option("[name=list]", label="青葉だより")
    page.get_by_role("button", name="Write the email").click()
    page.wait_for_url("**/edit/")
    page.locator("[name=switch][value=code]").click()
    page.wait_for_selector("textarea[name=html]")
    page.fill("[name=subject]", '{{ name | default: "お客様" }}様、新茶フェアを開きます')
    page.fill("textarea[name=html]", HTML)
    page.locator("button[name=save]").click()
    expect(page.locator("#flash")).to_contain_text("Saved.")


def send_test(page: Page) -> None:
    page.locator("button[name=next][value=test]").click()
    page.wait_for_url("**/test/")
    page.fill("[name=addresses]", "misaki@aoba.example.jp")
    page.locator("form.form button.button--primary").click()
    expect(page.get_by_role("listitem").filter(has_text="misaki@aoba")).to_contain_text("Sent", timeout=90_000)


def send(page: Page, *, people: int) -> None:
    page.goto(page.url.replace("/test/", "/schedule/").replace("/edit/", "/schedule/"))
    page.check("[name=when][value=now]")
    page.locator("form.columns button.button--primary").click()
    page.get_by_role("button", name=f"Send to {people} p").click()
    page.wait_for_url("**/report/")
    expect(page.locator("#campaign-ledger")).to_be_visible(timeout=90_000)
    expect(page.locator("#campaign-ledger")).to_contain_text(str(people))


def read_and_click(page: Page) -> None:
    page.goto("/sandbox/?q=hanako")
    page.get_by_role("link", name=re.compile("佐藤 花子様、新茶フェア")).first.click()
    expect(page.locator(".checklist")).to_contain_text("Signature verified with dkimpy: yes")
    mail = page.frame_locator("iframe.mail")
    expect(mail.get_by_text("佐藤 花子 様（㈱みどり旅館）")).to_be_visible()
    expect(mail.get_by_text("〒604-0000")).to_be_visible()
    page.wait_for_timeout(3_000)  # faster clicks are a machine's
    page.reload()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe.mail").get_by_text("新茶の詳細を見る").click()
    tab = opened.value
    tab.close()


def see_report(page: Page) -> None:
    page.goto("/campaigns/")
    page.get_by_role("link", name="新茶フェアのご案内").first.click()
    links = page.locator("section", has=page.locator("#links-title"))
    wait_for(lambda: bool(page.reload()) and "1" in links.locator("td.table__num").first.inner_text(), page)
    expect(page.locator("#campaign-ledger")).to_contain_text("Bounced")
    reasons = page.locator("section", has=page.locator("#reasons-title"))
    expect(reasons).to_contain_text("No such address")
    page.get_by_role("link", name="佐藤 花子").click()
    expect(page.locator(".timeline")).to_contain_text("Clicked “新茶の詳細を見る”")


def unsubscribe(page: Page) -> None:
    page.goto("/sandbox/?q=TARO")
    page.get_by_role("link", name=re.compile("髙橋 太郎様")).first.click()
    href = page.frame_locator("iframe.mail").locator("a[href*='/u/']").get_attribute("href")
    assert href
    page.goto(href)
    page.get_by_role("button", name=re.compile("Unsubscribe|停止")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("unsubscribed|停止"))


def next_campaign_leaves_them_out(page: Page) -> None:
    """The bounced and the unsubscribed get nothing more."""
    write(page, "冬のごあいさつ")
    send(page, people=2)
    page.goto("/suppressions/")
    table = page.locator("#suppression-table")
    expect(table).to_contain_text("bounce+yamada@example.jp")
    expect(table).to_contain_text("TARO@example.jp")
