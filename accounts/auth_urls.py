"""Of allauth only what this product offers so far: sign in, sign out. Its names have no namespace."""

from __future__ import annotations

from allauth.account import views
from django.urls import path
from django.views.decorators.http import require_POST

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", require_POST(views.logout), name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
]
