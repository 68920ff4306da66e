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


def of(view: str, *args: str, query: str = "") -> Callable[[World], str]:
    """Return a path of a view, whose arguments are names of the world's rows."""

    def path(world: World) -> str:
        return reverse(view, args=[world.rows[arg] for arg in args]) + query

    return path


EVER = "?since=2026-01-01T00:00&until=2099-01-01T00:00"
DOMAINS = ("good", "partly", "broken", "held", "new")  # as tests.look.world makes them
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
    Page("brand_edit", of("accounts:brand_edit")),
    Page("sender_list", of("accounts:sender_list")),
    Page("sender_list_empty", of("accounts:sender_list"), who="emma"),
    Page("sender_create", of("accounts:sender_create")),
    Page("sender_edit", of("accounts:sender_edit", "sender")),
    Page("sender_delete", of("accounts:sender_delete", "sender")),
    Page("address_confirm_gone", lambda _world: "/security/address/nothing/", status=404),
    Page("domain_list", of("accounts:domain_list")),
    Page("domain_list_empty", of("accounts:domain_list"), who="emma"),
    Page("domain_create", of("accounts:domain_create")),
    *(Page(f"domain_{name}", of("accounts:domain_detail", f"domain_{place}")) for place, name in enumerate(DOMAINS)),
    Page("domain_viewer", of("accounts:domain_detail", "domain_1"), who="vera"),
    Page("domain_delete", of("accounts:domain_delete", "domain_4")),
    Page("domain_delete_used", of("accounts:domain_delete", "domain_0")),
    Page("key_rotate", of("accounts:key_rotate", "domain_0")),
    Page("key_rotate_too_early", of("accounts:key_rotate", "domain_4")),
    Page("key_import", of("accounts:key_import", "domain_0")),
    Page("mailbox_create", of("delivery:mailbox_edit", "domain_4")),
    Page("mailbox_edit", of("delivery:mailbox_edit", "domain_3")),
    Page("mailbox_delete", of("delivery:mailbox_delete", "domain_3")),
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
CONTACTS = [
    Page("contact_list", of("campaigns:contact_list")),
    Page("contact_list_none", of("campaigns:contact_list", query="?q=zzz")),
    Page("contact_list_empty", of("campaigns:contact_list"), who="emma"),
    Page("contact_list_viewer", of("campaigns:contact_list"), who="vera"),
    Page("contact_create", of("campaigns:contact_create")),
    Page("contact_export", of("campaigns:contact_export")),
    Page("contact_detail", of("campaigns:contact_detail", "contact")),
    Page("contact_edit", of("campaigns:contact_edit", "contact")),
    Page("contact_delete", of("campaigns:contact_delete", "contact")),
    Page("import_create", of("campaigns:import_create")),
    Page("import_map", of("campaigns:import_map", "import_uploaded")),
    *(
        Page(f"import_{status}", of("campaigns:import_detail", f"import_{status}"))
        for status in ("queued", "loading", "done", "refused", "stopped")
    ),
    Page("list_list", of("campaigns:list_list")),
    Page("list_list_empty", of("campaigns:list_list"), who="emma"),
    Page("list_create", of("campaigns:list_create")),
    Page("list_detail", of("campaigns:list_detail", "list")),
    Page("list_edit", of("campaigns:list_edit", "list")),
    Page("list_delete", of("campaigns:list_delete", "list")),
    Page("suppression_list", of("campaigns:suppression_list")),
    Page("suppression_list_empty", of("campaigns:suppression_list"), who="emma"),
    Page("suppression_list_none", of("campaigns:suppression_list", query="?q=zzz")),
    Page("suppression_list_viewer", of("campaigns:suppression_list"), who="vera"),
    Page("suppression_create", of("campaigns:suppression_create")),
    Page("suppression_import", of("campaigns:suppression_import")),
    Page("suppression_export", of("campaigns:suppression_export")),
    Page("suppression_undo", of("campaigns:suppression_undo")),
    Page("suppression_undo_shown", of("campaigns:suppression_undo", query=EVER + "&reasons=user_unknown")),
    Page("suppression_undo_errors", of("campaigns:suppression_undo", query=EVER), status=422),
    Page("suppression_undo_empty", of("campaigns:suppression_undo"), who="emma"),
    Page("suppression_release", of("campaigns:suppression_release", "suppression")),
]
REPORTS = [
    Page("home", of("reports:home")),
    Page("home_empty", of("reports:home"), who="emma"),
    Page("campaign_report", of("reports:campaign_report", "sent")),
    Page("campaign_report_sending", of("reports:campaign_report", "sending")),
    Page("campaign_report_held_back", of("reports:campaign_report", "held_back"), who="mio"),
    Page("campaign_report_held", of("reports:campaign_report", "held")),
    Page("campaign_report_paused", of("reports:campaign_report", "paused")),
    Page("campaign_resend", of("reports:campaign_resend", "sent")),
    Page("campaign_export", of("reports:campaign_export", "sent")),
    Page("message_detail", of("reports:message_detail", "message")),
    Page("rules", of("reports:rules")),
    Page("sandbox_list", of("delivery:sandbox_list")),
    Page("sandbox_list_empty", of("delivery:sandbox_list"), who="emma"),
    *(
        Page(f"sandbox_{view}", of("delivery:sandbox_detail", "mail", query=f"?view={view}"))
        for view in ("html", "text", "headers", "raw")
    ),
]
PUBLIC = [
    Page("unsubscribe", lambda world: f"/u/{world.tokens['unsubscribe']}", who=""),
    Page("preferences", lambda world: f"/u/{world.tokens['unsubscribe']}/preferences", who=""),
    Page("address_change", lambda world: f"/u/{world.tokens['unsubscribe']}/address", who=""),
    Page("address_confirm", lambda world: f"/a/{world.tokens['change']}", who=""),
    Page("unsubscribe_gone", lambda _world: "/u/nothing", who="", status=404),
    Page("unsubscribe_of_a_test", of("delivery:unsubscribe_of_a_test"), who=""),
]
PAGES = [*GATE, *ACCOUNTS, *CAMPAIGNS, *CONTACTS, *REPORTS, *PUBLIC]
