"""The sandbox's pages: what was kept in place of going out, and what was checked of it."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import member_required, polled
from accounts.http import AccountRequest
from delivery.models import SandboxMail
from delivery.sandbox import proofs
from delivery.sandbox.reading import headers_of, parsed, part_of
from delivery.views.browsing import MAIL_POLICY
from mailsales.paging import page_of

TRICKS: list[tuple[str, str | Promise]] = [
    ("bounce+name@", gettext_lazy("Refuses: no such address (550 5.1.1)")),
    ("full+name@", gettext_lazy("Answers: mailbox full (552 5.2.2)")),
    ("spamreject+name@", gettext_lazy("Refuses it as spam")),
    ("block+name@", gettext_lazy("Refuses it for the sender’s reputation")),
    ("filter+name@", gettext_lazy("Refuses it as docomo’s domain filter does")),
    ("defer+name@", gettext_lazy("Defers up to 3 times")),
    ("slow+name@", gettext_lazy("Answers after 3 seconds")),
    ("drop+name@", gettext_lazy("Breaks the connection before the reply: the result is unknown")),
    ("dsn+name@", gettext_lazy("Accepts it, then returns an error email")),
    ("complain+name@", gettext_lazy("Accepts it, then reports it as spam")),
]
VIEWS: dict[str, str | Promise] = {
    "html": "HTML",
    "text": gettext_lazy("Text"),
    "headers": gettext_lazy("Headers"),
    "raw": gettext_lazy("As it came"),
}
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
BASE = '<base target="_blank">'  # links open beside the sandbox, not within its frame


@polled
@member_required()
@require_GET
@vary_on_headers("HX-Request")
def sandbox_list(request: AccountRequest) -> HttpResponse:
    """Show what was kept. The page asks for itself with the `newest` that it shows, and hears 204 until there is more."""
    q = request.GET.get("q", "").strip()
    query = {name: request.GET[name] for name in request.GET if name != "newest"}
    own = SandboxMail.objects.of(request.account).defer("raw")
    page = page_of(own.filter(Q(recipient__icontains=q) | Q(subject__icontains=q)), query, target="sandbox-table")
    newest, shown = page.rows[0].pk if page.rows else 0, request.GET.get("newest")
    if request.htmx and shown == str(newest):
        return HttpResponse(status=204)
    if request.htmx and shown == "0" and not q:  # the very first mail: the page is another one now
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {
        "page": page,
        "mails": page.rows,
        "q": q,
        "tricks": [{"address": address, "text": text} for address, text in TRICKS],
        "is_empty": not page.rows and not q,
        "poll": "" if page.previous else "?" + urlencode(query | {"newest": newest}),
    }
    template = "delivery/_sandbox_table.html" if request.htmx else "delivery/sandbox_list.html"
    return render(request, template, context)


# -- /sandbox/<id>/ ----------------------------------------------------------------------------


@member_required()
@require_GET
def sandbox_detail(request: AccountRequest, pk: int) -> HttpResponse:
    mail, message = _mail(request, pk)
    view = request.GET.get("view", "html")
    view = view if view in VIEWS else "html"
    url = reverse("delivery:sandbox_detail", args=[pk])
    context = {
        "mail": mail,
        "view": view,
        "view_label": VIEWS[view],
        "tabs": [
            {"label": label, "href": f"{url}?view={key}", "is_current": key == view} for key, label in VIEWS.items()
        ],
        "headers": [{"name": name, "value": value} for name, value in headers_of(message)],
        "source": part_of(message, "plain") if view == "text" else bytes(mail.raw).decode("utf-8", "replace"),
        "proofs": proofs.proofs_of(mail, message),
        "envelope": _envelope(mail),
    }
    return render(request, "delivery/sandbox_detail.html", context)


@csp(MAIL_POLICY)
@xframe_options_sameorigin
@member_required()
@require_GET
def sandbox_html(request: AccountRequest, pk: int) -> HttpResponse:
    _mail_row, message = _mail(request, pk)
    html = part_of(message, "html")
    marked, found = HEAD.subn(lambda match: match[0] + BASE, html, count=1)
    return HttpResponse(marked if found else BASE + html)


@member_required()
@require_GET
def sandbox_download(request: AccountRequest, pk: int) -> HttpResponse:
    mail, _message = _mail(request, pk)
    response = HttpResponse(bytes(mail.raw), content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{mail.pk}.eml"'
    return response


def _mail(request: AccountRequest, pk: int) -> tuple[SandboxMail, EmailMessage]:
    mail: SandboxMail = get_object_or_404(SandboxMail.objects.of(request.account), pk=pk)
    return mail, parsed(mail)


def _envelope(mail: SandboxMail) -> list[dict[str, Any]]:
    who = [
        {"name": _("Sender"), "value": mail.mail_from, "is_code": True},
        {"name": _("Recipient"), "value": mail.recipient, "is_code": True},
    ]
    if not mail.size:  # the page shows the reply in its place
        return who
    return [
        *who,
        {
            "name": _("Reply"),
            "value": f"{mail.code} {mail.reply}" if mail.code else _("None"),
            "is_code": bool(mail.code),
        },
        {"name": _("Size"), "value": filesizeformat(mail.size), "is_code": False},
    ]
