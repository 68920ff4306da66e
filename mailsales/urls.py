from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from accounts.admin import operators

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("campaigns.urls")),
    path("", include("delivery.urls")),
    path("", include("accounts.urls")),
    path("auth/", include("accounts.auth_urls")),
    path(settings.ADMIN_PATH, operators.urls),
]
