from __future__ import annotations

from django.urls import path

from accounts.views import account, acting, security, senders

app_name = "accounts"
urlpatterns = [
    # /account/
    path("account/", account.account_edit, name="account_edit"),
    path("account/switch/", acting.account_switch, name="account_switch"),
    path("account/changed/", acting.account_changed, name="account_changed"),
    path("account/none/", acting.no_account, name="no_account"),
    # /senders/
    path("senders/", senders.sender_list, name="sender_list"),
    path("senders/create/", senders.sender_create, name="sender_create"),
    # /senders/<id>/
    path("senders/<int:pk>/edit/", senders.sender_edit, name="sender_edit"),
    path("senders/<int:pk>/delete/", senders.sender_delete, name="sender_delete"),
    # /security/
    path("security/", security.security, name="security"),
    path("security/password/", security.password_change, name="password_change"),
    path("security/stay/", acting.stay, name="stay"),
    # /language/
    path("language/", acting.language_switch, name="language_switch"),
]
