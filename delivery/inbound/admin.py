"""What operators see of returned mail: what came back, what became of it, and the mail as it came.

Rows of all accounts are shown, which the wall allows to these pages alone. Nothing can be changed here.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import display
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from accounts.admin import ReadOnlyAdmin, operators
from delivery.models import InboundMail, ReturnMailbox
from mailsales import wall

SHOWN = 100_000  # bytes of a mail on its page


class AllAccountsAdmin(ReadOnlyAdmin):
    """Shows rows of all accounts."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        with wall.open_to_reading():
            return _rendered(super().changelist_view(request, extra_context))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with wall.open_to_reading():
            return _rendered(super().changeform_view(request, *args, **kwargs))


class InboundMailAdmin(AllAccountsAdmin):
    list_display = ("received_at", "recipient", "mail_from", "source", "outcome", "account")
    list_display_links = ("received_at", "recipient")
    list_filter = ("outcome", "source")
    list_select_related = ("account",)
    search_fields = ("recipient", "mail_from")
    ordering = ("-pk",)
    fields = (*list_display, "ip", "read_at", "size", "download", "mail")
    readonly_fields = ("size", "download", "mail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMail]:
        return InboundMail.objects.defer("raw").annotate(octets=Length("raw"))

    def get_urls(self) -> list[URLPattern]:
        raw = path("<int:pk>/raw/", self.admin_site.admin_view(self.raw_view), name="delivery_inboundmail_raw")
        return [raw, *super().get_urls()]

    @display(description=gettext_lazy("Size"))
    def size(self, mail: InboundMail) -> str:
        octets: int = getattr(mail, "octets", 0)
        return f"{octets:,}"

    @display(description=gettext_lazy("Download the mail"))
    def download(self, mail: InboundMail) -> str:
        return format_html(
            '<a href="{}">{}.eml</a>', reverse("admin:delivery_inboundmail_raw", args=[mail.pk]), mail.pk
        )

    @display(description=gettext_lazy("Mail as it came"))
    def mail(self, mail: InboundMail) -> str:
        return format_html("<pre>{}</pre>", bytes(mail.raw)[:SHOWN].decode("utf-8", "replace"))

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the mail as a file; a browser must not take it for a page."""
        if not self.has_view_permission(request):
            raise Http404
        with wall.open_to_reading():
            raw = InboundMail.objects.filter(pk=pk).values_list("raw", flat=True).first()
        if raw is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="{pk}.eml"'}
        return HttpResponse(bytes(raw), content_type="application/octet-stream", headers=headers)


class ReturnMailboxAdmin(AllAccountsAdmin):
    """The password is never shown."""

    list_display = ("address", "account", "host", "read_at", "trouble")
    list_select_related = ("account",)
    search_fields = ("address", "host")
    ordering = ("address",)
    fields = ("account", "address", "takes_plus", "host", "port", "username", "folder", "read_at", "trouble")


def _rendered(response: HttpResponse) -> HttpResponse:
    """Return the page with its rows in it: a template that is filled later would ask for them behind the wall."""
    return response.render() if isinstance(response, TemplateResponse) else response


operators.register(InboundMail, InboundMailAdmin)
operators.register(ReturnMailbox, ReturnMailboxAdmin)
