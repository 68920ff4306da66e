from __future__ import annotations

from django.test import SimpleTestCase, override_settings

from delivery.routes import read_route
from mailsales import routes
from mailsales.routes import Hop, Login, RouteKind, TLSMode


class RouteTest(SimpleTestCase):
    @override_settings(DEFAULT_ROUTE="sandbox", SANDBOX_PORT=2599)
    def test_empty_is_the_default_route(self) -> None:
        self.assertEqual((read_route().kind, read_route("").hops[0].port), (RouteKind.SANDBOX, 2599))

    @override_settings(EHLO_NAME="mail.example.jp", SOURCE_ADDRESS="203.0.113.5")
    def test_the_installation_says_who_speaks_from_where(self) -> None:
        route = read_route("mx")
        self.assertEqual((route.ehlo_name, route.source_address), ("mail.example.jp", "203.0.113.5"))

    @override_settings(EHLO_NAME="mail.example.jp", SOURCE_ADDRESS="203.0.113.5")
    def test_a_route_may_say_it_itself(self) -> None:
        route = read_route("mx?ehlo=out2.example.jp&source=203.0.113.6")
        self.assertEqual((route.ehlo_name, route.source_address), ("out2.example.jp", "203.0.113.6"))


class ParseTest(SimpleTestCase):
    def test_relay_and_its_tls(self) -> None:
        route = routes.parse("smtp://relay.example.jp:2587?tls=verified")
        self.assertEqual(route.hops, (Hop("relay.example.jp", 2587),))
        self.assertEqual((route.tls, route.is_verified), (TLSMode.REQUIRED, True))

    def test_tls_is_opportunistic_where_nothing_is_said(self) -> None:
        route = routes.parse("smtp://relay.example.jp")
        self.assertEqual((route.tls, route.is_verified, route.hops[0].port), (TLSMode.OPPORTUNISTIC, False, 25))

    def test_several_relays(self) -> None:
        route = routes.parse("smtp://one.example.jp:2525,two.example.jp,[2001:db8::1]:26")
        self.assertEqual(route.hops, (Hop("one.example.jp", 2525), Hop("two.example.jp", 25), Hop("2001:db8::1", 26)))

    def test_a_password_goes_to_nobody_unproven(self) -> None:
        route = routes.parse("smtp://taro%40example.jp:p%3Aw%20d@relay.example.jp?tls=none")
        self.assertEqual(route.login, Login("taro@example.jp", "p:w d"))
        self.assertEqual((route.tls, route.is_verified, route.hops[0].port), (TLSMode.REQUIRED, True, 587))

    def test_tls_from_the_first_byte(self) -> None:
        route = routes.parse("smtps://relay.example.jp")
        self.assertEqual((route.tls, route.is_verified, route.hops[0].port), (TLSMode.IMPLICIT, True, 465))

    def test_no_password_is_shown(self) -> None:
        route = routes.parse("smtp://taro:secret@relay.example.jp")
        self.assertEqual(route.name, "relay relay.example.jp:587")
        self.assertNotIn("secret", repr(route) + str(route))

    def test_any_other_text_is_wrong(self) -> None:
        for text in (
            "", "postbox", "http://relay.example.jp", "smtp://", "smtp:relay.example.jp", "mx://relay.example.jp", "smtp://a.example:0x",
            "smtp://a.example?tls=maybe", "smtp://a.example?tsl=none", "mx?source=here", "mx?port=70000", "smtp://a.example,,b.example", "sandbox?x=1",
        ):  # fmt: skip
            with self.subTest(text), self.assertRaises(ValueError):
                routes.parse(text)

    def test_a_wrong_route_is_told_without_its_password(self) -> None:
        with self.assertRaises(ValueError) as raised:
            routes.parse("smpt://taro:secret@relay.example.jp")
        self.assertNotIn("secret", str(raised.exception))
