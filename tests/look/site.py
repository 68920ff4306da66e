"""One browser, one server and one company for all pages: making them per test would take longer than looking."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from delivery.models import Installation
from mailsales import wall
from tests.look.world import World, make_world

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
LOCALES = {"ja": "ja-JP", "en": "en-GB"}  # what the browser says it speaks


@dataclass(frozen=True)
class Site:
    """A running server with its data, and a browser to look at it."""

    url: str
    world: World
    sessions: dict[str, str]
    browser: Browser
    windows: dict[tuple[str, str], BrowserContext] = field(default_factory=dict)

    def shared_window(self, who: str, lang: str) -> BrowserContext:
        """Return a window that stays open for all tests: its cache knows the style sheets by then."""
        if (who, lang) not in self.windows:
            self.windows[who, lang] = self.window(who, lang)
        return self.windows[who, lang]

    def window(self, who: str, lang: str) -> BrowserContext:
        """Open a window in which this person is signed in; an empty name is a stranger."""
        window = self.browser.new_context(
            viewport={"width": 1440, "height": 900},
            locale=LOCALES[lang],
            reduced_motion="reduce",
            base_url=self.url,
        )
        window.set_default_timeout(60_000)  # a busy machine is no fault
        cookies = {settings.LANGUAGE_COOKIE_NAME: lang}
        if who:
            cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        window.add_cookies([{"name": name, "value": value, "url": self.url} for name, value in cookies.items()])
        return window


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def go_behind_the_wall() -> None:
    """Let connections made from now on, which are the server's, act as the web process does."""
    options = connections.settings["default"]["OPTIONS"]
    connections.settings["default"]["OPTIONS"] = {**options, "options": f"-c role={wall.ROLE}"}


@contextmanager
def open_site() -> Iterator[Site]:
    with sync_playwright() as playwright:
        world = make_world()
        sessions = {name: _session(user) for name, user in world.users.items()}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env={**os.environ, "LANGUAGE": "ja"})
        go_behind_the_wall()
        server = LiveServer("127.0.0.1")
        try:
            yield Site(server.url, world, sessions, browser)
        finally:
            browser.close()
            server.stop()
            connections.settings["default"]["OPTIONS"].pop("options")
            call_command("flush", interactive=False, verbosity=0)
            Installation.objects.create()  # a row that migrations make
