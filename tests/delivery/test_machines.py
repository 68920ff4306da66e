from __future__ import annotations

from unittest import TestCase

from delivery.machines import APPLE, NAMELESS, PROGRAM, SCANNER, followed_by, opened_by

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PROXIES = (GMAIL, "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html")
SCANNERS = ("Mozilla/5.0 (compatible; Barracuda Email Security)", "Mimecast URL Protect", "ProofPoint/1.0")
PROGRAMS = ("curl/8.5.0", "python-requests/2.32", "Go-http-client/1.1", "Slackbot-LinkExpanding 1.0", "Java/17.0.1")


class MachinesTestCase(TestCase):
    def test_people_open_with_mail_programs_and_proxies(self) -> None:
        for agent in (CHROME, IPHONE, THUNDERBIRD, OUTLOOK, "Microsoft Office/16.0 (Microsoft Outlook 16.0)", *PROXIES):
            self.assertEqual(opened_by(agent), "", agent)

    def test_people_follow_links_with_browsers(self) -> None:
        for agent in (CHROME, IPHONE, f"{IPHONE} Safari Line/14.18.0"):
            self.assertEqual(followed_by(agent), "", agent)

    def test_what_loads_pictures_follows_no_links(self) -> None:
        for agent in (OUTLOOK, "Mozilla/5.0", *PROXIES):
            self.assertEqual(followed_by(agent), PROGRAM, agent)

    def test_apple_opens_whether_a_person_does_or_not(self) -> None:
        self.assertEqual(opened_by("Mozilla/5.0"), APPLE)
        self.assertEqual(opened_by("Mozilla/5.0 (Macintosh)"), "")

    def test_scanners_are_machines_either_way(self) -> None:
        for agent in SCANNERS:
            self.assertEqual((opened_by(agent), followed_by(agent)), (SCANNER, SCANNER), agent)

    def test_programs_are_machines_either_way(self) -> None:
        for agent in PROGRAMS:
            self.assertEqual((opened_by(agent), followed_by(agent)), (PROGRAM, PROGRAM), agent)

    def test_who_gives_no_name_is_a_machine(self) -> None:
        self.assertEqual((opened_by(""), followed_by("  ")), (NAMELESS, NAMELESS))
