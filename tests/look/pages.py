"""The one table of pages that the look tests open. Whoever adds a page adds a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from tests.look.world import World


@dataclass(frozen=True)
class Page:
    """`path` makes the address. `who` is the name of who is signed in, empty for a stranger."""

    name: str
    path: Callable[[World], str]
    who: str = "alice"
    status: int = 200
    ready: str = ""  # a selector to wait for


def of(view: str, *args: object, query: str = "") -> Callable[[World], str]:
    """Return a path of a view, whose arguments may be names of the world's rows."""

    def path(world: World) -> str:
        return reverse(view, args=[getattr(world, arg).pk if isinstance(arg, str) else arg for arg in args]) + query

    return path


GATE = [
    Page("login", of("account_login"), who=""),
    Page("account_inactive", of("account_inactive"), who=""),
    Page("no_account", of("accounts:no_account"), who="nora"),
    Page("account_changed", of("accounts:account_changed"), status=409),
    Page("404", lambda _world: "/nowhere/", status=404),
    Page("403", of("accounts:account_edit"), who="vera", status=403),
]
ACCOUNTS = [
    Page("security", of("accounts:security")),
    Page("account_edit", of("accounts:account_edit")),
    Page("sender_list", of("accounts:sender_list")),
    Page("sender_list_empty", of("accounts:sender_list"), who="emma"),
    Page("sender_create", of("accounts:sender_create")),
    Page("sender_edit", of("accounts:sender_edit", "sender")),
    Page("sender_delete", of("accounts:sender_delete", "sender")),
]
CAMPAIGNS = [
    Page("campaign_list", of("campaigns:campaign_list")),
    Page("campaign_list_none", of("campaigns:campaign_list", query="?q=zzz")),
    Page("campaign_list_empty", of("campaigns:campaign_list"), who="emma"),
    Page("campaign_list_viewer", of("campaigns:campaign_list"), who="vera"),
    Page("campaign_create", of("campaigns:campaign_create")),
    Page("campaign_edit", of("campaigns:campaign_edit", "draft"), ready=".tiptap.ProseMirror"),
    Page("campaign_edit_code", of("campaigns:campaign_edit", "code")),
    Page("campaign_test", of("campaigns:campaign_test", "draft")),
    Page("campaign_test_blocked", of("campaigns:campaign_test", "blocked")),
    Page("campaign_schedule", of("campaigns:campaign_schedule", "draft")),
    Page("campaign_schedule_blocked", of("campaigns:campaign_schedule", "blocked")),
    Page("campaign_schedule_errors", of("campaigns:campaign_confirm", "draft", query="?when=later"), status=422),
    Page("campaign_confirm", of("campaigns:campaign_confirm", "draft", query="?when=now")),
    Page("campaign_scheduled", of("campaigns:campaign_schedule", "scheduled")),
    Page("campaign_cancel", of("campaigns:campaign_cancel", "scheduled")),
    Page("campaign_delete", of("campaigns:campaign_delete", "draft")),
]
PAGES = [*GATE, *ACCOUNTS, *CAMPAIGNS]
