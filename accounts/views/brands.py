from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.decorators import OWNERS, member_required
from accounts.forms.brands import BrandForm
from accounts.http import AccountRequest
from accounts.models import Brand


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def brand_edit(request: AccountRequest) -> HttpResponse:
    brand = Brand.objects.filter(account=request.account).first() or Brand(account=request.account)
    form = (
        BrandForm(request.POST, request.FILES, instance=brand)
        if request.method == "POST"
        else BrandForm(instance=brand)
    )
    if form.is_valid():
        with transaction.atomic():
            form.save()
            audit.note(request, "brand.change", request.account.name, color=brand.color, logo=brand.logo_type)
        messages.success(request, _("Saved."))
        return redirect("accounts:brand_edit")
    return render(request, "accounts/brand_edit.html", {"form": form}, status=422 if form.is_bound else 200)
