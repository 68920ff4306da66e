"""The sidebar: its groups, and which of its pages is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Domain, Membership


@dataclass(frozen=True)
class Item:
    title: str | Promise
    icon: str
    view: str
    nouns: tuple[str, ...]  # beginnings of the view names under this item
    is_current: bool = False


@dataclass(frozen=True)
class Group:
    key: str
    title: str | Promise
    items: list[Item]


MENU: list[tuple[str, str | Promise, list[Item]]] = [
    ("start", "", [Item(gettext_lazy("Home"), "house", "reports:home", ("home",))]),
    (
        "send",
        gettext_lazy("Send"),
        [
            Item(gettext_lazy("Campaigns"), "send", "campaigns:campaign_list", ("campaign_", "message_")),
            Item(gettext_lazy("Sandbox"), "inbox", "delivery:sandbox_list", ("sandbox_",)),
        ],
    ),
    (
        "audience",
        gettext_lazy("Audience"),
        [
            Item(gettext_lazy("Contacts"), "users", "campaigns:contact_list", ("contact_", "import_")),
            Item(gettext_lazy("Lists"), "list", "campaigns:list_list", ("list_",)),
            Item(gettext_lazy("Suppressions"), "mail-x", "campaigns:suppression_list", ("suppression_",)),
        ],
    ),
    (
        "settings",
        gettext_lazy("Settings"),
        [
            Item(
                gettext_lazy("Company and senders"),
                "building-2",
                "accounts:account_edit",
                ("account_edit", "account_thresholds", "brand_", "sender_"),
            ),
            Item(gettext_lazy("Sending domains"), "globe", "accounts:domain_list", ("domain_", "key_", "mailbox_")),
            Item(gettext_lazy("Security settings"), "shield", "accounts:security", ("security", "address_")),
        ],
    ),
]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what every page of the application shows around its content."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {"account": None}
    name = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "account": membership.account,
        "membership": membership,
        "memberships": Membership.objects.filter(user=membership.user)
        .select_related("account")
        .order_by("account__name"),
        "navigation": [Group(key, title, [_current(item, name or "") for item in items]) for key, title, items in MENU],
        "route": _route(membership.account),
        "now": now(),
        "idle_left": getattr(request, "idle_left", settings.IDLE_SECONDS),
    }


def _current(item: Item, name: str) -> Item:
    return Item(item.title, item.icon, item.view, item.nouns, is_current=name.startswith(item.nouns))


def _route(account: Account) -> dict[str, str]:
    """Say where mail goes: that nothing leaves the sandbox must be seen on every page."""
    if (account.route or settings.DEFAULT_ROUTE) == "sandbox":
        return {
            "icon": "flask-conical",
            "title": _("Sandbox"),
            "text": _("Nothing leaves this machine. Read the mail under “Sandbox”."),
        }
    ready = list(Domain.objects.of(account).proven().exclude(state=Domain.State.BROKEN).order_by("proven_at"))
    if not ready:
        text = _("Emails go only to verified members; everything else stays in the sandbox.")
        return {"icon": "shield-alert", "title": _("No confirmed domain"), "text": text}
    text = _("From %(domain)s, with STARTTLS and a DKIM signature.")
    if len(ready) > 1:
        text = _("From %(domain)s and %(count)s more, with STARTTLS and a DKIM signature.")
    values = {"domain": ready[0].name, "count": len(ready) - 1}
    return {"icon": "shield-check", "title": _("Live sending"), "text": text % values}
