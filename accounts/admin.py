"""Django admin for the operators of the service, from their networks only."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin, TabularInline
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEntry, BlocklistAnswer, Domain, Membership, Notice, User
from mailsales import routes


class OperatorSite(AdminSite):
    """Whoever is no operator, or comes from elsewhere, finds nothing here. Signing in is the same for all."""

    site_header = site_title = _("Mailsales: operators")

    def has_permission(self, request: HttpRequest) -> bool:
        if not is_from_allowed_network(request):
            raise Http404
        return super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not is_from_allowed_network(request) or request.user.is_authenticated:
            raise Http404
        return redirect_to_login(request.GET.get("next", request.get_full_path()))


def is_from_allowed_network(request: HttpRequest) -> bool:
    address = ip_address(request.META["REMOTE_ADDR"])
    return any(address in ip_network(network, strict=False) for network in settings.ADMIN_NETWORKS)


operators = OperatorSite()


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Shows rows that programs write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Memberships(TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]
    route = forms.CharField(
        label=_("Route"),
        required=False,
        help_text=_(
            "Empty: the one of this installation. Otherwise sandbox, mx, or smtp://user:password@host:587. It is stored sealed."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["route"] = self.instance.route

    def clean_route(self) -> str:
        text = str(self.cleaned_data["route"]).strip()
        try:
            if text:
                routes.parse(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def save(self, commit: bool = True) -> Account:
        self.instance.route = self.cleaned_data["route"]
        account: Account = super().save(commit)
        return account


class AccountAdmin(ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "time_zone", "created_at")
    form = TenantForm
    exclude = ("sealed_route",)
    search_fields = ("name",)
    inlines = (Memberships,)


class MembershipAdmin(ModelAdmin):  # type: ignore[type-arg]
    list_display = ("account", "user", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("account__name", "user__username", "user__email")
    autocomplete_fields = ("account", "user")


class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "email", "last_name", "first_name", "is_staff")
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Language"), {"fields": ("language",)}))
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),)


class DomainAdmin(ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "account", "warmup_started_on", "warmup_first", "warmup_growth")
    search_fields = ("name", "account__name")
    autocomplete_fields = ("account",)


class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "user", "action", "about")
    list_select_related = ("account", "user")
    list_filter = ("action",)
    search_fields = ("account__name", "user__username", "action", "about")
    ordering = ("-pk",)


class NoticeAdmin(ReadOnlyAdmin):
    """A mail that was not accepted keeps the last reply."""

    list_display = ("created_at", "address", "subject", "tries", "is_sent", "settled_at", "reply")
    list_filter = ("is_sent",)
    search_fields = ("address", "subject")
    ordering = ("-pk",)


class BlocklistAnswerAdmin(ReadOnlyAdmin):
    list_display = ("name", "list", "state", "text", "checked_at")
    list_filter = ("state", "list")
    search_fields = ("name",)
    ordering = ("name", "list")


operators.register(Account, AccountAdmin)
operators.register(AuditEntry, AuditEntryAdmin)
operators.register(BlocklistAnswer, BlocklistAnswerAdmin)
operators.register(Domain, DomainAdmin)
operators.register(Membership, MembershipAdmin)
operators.register(Notice, NoticeAdmin)
operators.register(User, PersonAdmin)
