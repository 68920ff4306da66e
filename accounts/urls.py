from __future__ import annotations

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    # /account/
    path("account/", views.account_edit, name="account_edit"),
    path("account/switch/", views.account_switch, name="account_switch"),
    path("account/changed/", views.account_changed, name="account_changed"),
    path("account/none/", views.no_account, name="no_account"),
    # /senders/
    path("senders/", views.sender_list, name="sender_list"),
    path("senders/create/", views.sender_create, name="sender_create"),
    # /senders/<id>/
    path("senders/<int:pk>/edit/", views.sender_edit, name="sender_edit"),
    path("senders/<int:pk>/delete/", views.sender_delete, name="sender_delete"),
    # /security/
    path("security/", views.security, name="security"),
    path("security/password/", views.password_change, name="password_change"),
    path("security/stay/", views.stay, name="stay"),
    # /language/
    path("language/", views.language_switch, name="language_switch"),
]
