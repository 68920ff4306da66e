from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("campaigns.urls")),
    path("", include("delivery.urls")),
    path("", include("accounts.urls")),
    path("auth/", include("allauth.account.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path(settings.ADMIN_PATH, admin.site.urls),
]
