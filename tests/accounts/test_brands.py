from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry, Brand
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_png

LOGO = make_png(320, 80)


class BrandTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)

    def save(self, file: bytes | None = None, name: str = "logo.png", **values: Any) -> Any:
        data = {"has_color": "on", "color": "#C8102E"} | values
        if file is not None:
            data["file"] = SimpleUploadedFile(name, file, "image/png")
        return self.client.post("/account/brand/", data)

    def brand(self) -> Brand:
        return Brand.objects.get(account=self.account)


class BrandEditTestCase(BrandTestCase):
    def test_it_saves_colour_and_logo(self) -> None:
        self.assertRedirects(self.save(LOGO), "/account/brand/")
        brand = self.brand()
        self.assertEqual((brand.color, bytes(brand.logo), brand.logo_type), ("#c8102e", LOGO, "image/png"))

    def test_it_is_written_down(self) -> None:
        self.save(LOGO)
        entry = AuditEntry.objects.get(action="brand.change")
        self.assertEqual((entry.user, entry.details), (self.alice, {"color": "#c8102e", "logo": "image/png"}))

    def test_a_colour_can_be_given_up(self) -> None:
        self.save()
        self.client.post("/account/brand/", {"color": "#c8102e"})
        self.assertEqual(self.brand().color, "")

    def test_a_logo_stays_until_it_is_removed(self) -> None:
        self.save(LOGO)
        self.save()
        self.assertEqual(bytes(self.brand().logo), LOGO)
        self.save(is_removed="on")
        self.assertEqual((bytes(self.brand().logo), self.brand().logo_type), (b"", ""))

    def test_the_content_counts_and_not_the_name(self) -> None:
        gif = b"GIF89a\x40\x01\x50\x00\x80\0\0" + b"\0" * 6 + b";"
        self.save(gif, name="logo.svg")
        self.assertEqual(self.brand().logo_type, "image/gif")

    def test_what_is_no_picture_is_refused_and_nothing_saved(self) -> None:
        self.save(LOGO)
        for file in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<script>", LOGO + b"x" * 20):
            self.assertContains(self.save(file, color="#000000"), "This is no PNG", status_code=422)
        self.assertEqual((self.brand().color, bytes(self.brand().logo)), ("#c8102e", LOGO))

    def test_what_is_too_large_is_refused(self) -> None:
        self.assertContains(self.save(LOGO + b"\0" * 200_000), "larger than 200 KB", status_code=422)
        self.assertContains(self.save(make_png(2_001, 1)), "larger than 2,000 pixels", status_code=422)
        self.assertFalse(Brand.objects.exists())

    def test_what_is_no_colour_is_refused(self) -> None:
        for color in ("red", "#fff", "#12345g", "#c8102e;}body{display:none"):
            self.assertEqual(self.save(color=color).status_code, 422)
        self.assertFalse(Brand.objects.exists())

    def test_it_is_for_owners(self) -> None:
        for user in (self.bob, self.vera):
            self.client.force_login(user)
            for path in ("/account/brand/", "/brand/preview/"):
                self.assertEqual(self.client.get(path).status_code, 403)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get("/account/brand/").status_code, 302)

    def test_another_account_s_look_is_untouched(self) -> None:
        Brand.objects.create(account=self.other_account, color="#112233")
        self.save()
        self.assertEqual(Brand.objects.get(account=self.other_account).color, "#112233")

    def test_the_preview_may_be_framed_by_our_own_page_alone(self) -> None:
        response = self.client.get("/brand/preview/")
        self.assertEqual(response["X-Frame-Options"], "SAMEORIGIN")
        self.assertIn("frame-ancestors 'self'", response["Content-Security-Policy"])


class BrandFilesTestCase(BrandTestCase):
    """Strangers' browsers ask for them, behind the wall."""

    def setUp(self) -> None:
        super().setUp()
        self.made = Brand.objects.create(account=self.account, color="#ffd400", logo=LOGO, logo_type="image/png")
        self.client.logout()

    def path(self, ending: str = "") -> str:
        return f"/b/{self.account.pk}/{self.made.version}{ending}"

    def fetch(self, path: str) -> Any:
        with wall(None):
            return self.client.get(path)

    def test_the_stylesheet_sets_the_colours_for_light_and_dark(self) -> None:
        response = self.fetch(self.path(".css"))
        self.assertEqual(response["Content-Type"], "text/css; charset=utf-8")
        self.assertIn("--accent: light-dark(#", response.content.decode())

    def test_the_logo_comes_as_what_it_is(self) -> None:
        response = self.fetch(self.path())
        self.assertEqual((response["Content-Type"], response.content), ("image/png", LOGO))
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertIn("sandbox", response["Content-Security-Policy"])

    def test_both_are_kept_for_ever_and_need_no_cookie(self) -> None:
        for ending in ("", ".css"):
            response = self.fetch(self.path(ending))
            self.assertEqual(response["Cache-Control"], "public, max-age=31536000, immutable")
            self.assertFalse(response.has_header("Vary") and "Cookie" in response["Vary"])

    def test_a_new_look_has_a_new_address(self) -> None:
        old = self.path()
        self.made.color = "#123456"
        self.made.save()
        self.assertNotEqual(self.path(), old)
        self.assertEqual(self.fetch(old).status_code, 404)

    def test_another_account_s_look_is_not_found_under_ours(self) -> None:
        for account in (self.other_account.pk, 4_000_000):
            self.assertEqual(self.fetch(f"/b/{account}/{self.made.version}").status_code, 404)

    def test_what_there_is_not_is_not_found(self) -> None:
        self.made.color, self.made.logo = "", b""
        self.made.save()
        for ending in ("", ".css"):
            self.assertEqual(self.fetch(self.path(ending)).status_code, 404)
