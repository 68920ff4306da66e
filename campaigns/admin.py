"""What operators leave out for all accounts: addresses and domains that nobody of this installation mails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import operators
from campaigns.forms.suppressions import EntryField
from campaigns.models import Suppression
from mailsales import wall
from mailsales.reasons import Reason


class SharedSuppressionForm(forms.ModelForm):  # type: ignore[type-arg]
    address = EntryField()
    note = forms.CharField(label=_("Why (optional)"), required=False, max_length=200)

    class Meta:
        model = Suppression
        fields = ("address",)

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if Suppression.objects.filter(account=None, address=address).exists():
            raise forms.ValidationError(_("It is left out already."))
        return address


class SuppressionAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Only what holds for all accounts: an account's own are its members' matter. To change one, remove it and add another."""

    form = SharedSuppressionForm
    list_display = ("address", "why", "since", "by")
    list_select_related = ("created_by",)
    search_fields = ("address",)
    ordering = ("-pk",)
    show_full_result_count = False

    @display(description=_("Why"))
    def why(self, suppression: Suppression) -> str:
        return str(suppression.evidence.get("text", ""))

    @display(description=_("Since"), ordering="created_at")
    def since(self, suppression: Suppression) -> datetime:
        return suppression.created_at

    @display(description=_("By"))
    def by(self, suppression: Suppression) -> str:
        return suppression.created_by.name if suppression.created_by else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        return Suppression.objects.filter(account=None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.reason, obj.evidence = Reason.MANUAL, {"text": form.cleaned_data["note"]}
        obj.created_by_id = request.user.pk
        with wall.open_to_shared():
            obj.save()

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        with wall.open_to_shared():
            obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        with wall.open_to_shared():
            queryset.delete()


operators.register(Suppression, SuppressionAdmin)
