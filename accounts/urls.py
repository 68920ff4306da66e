from __future__ import annotations

from django.urls import path

from accounts.views import account, acting, brands, domains, keys, security, senders

app_name = "accounts"
urlpatterns = [
    # /account/
    path("account/", account.account_edit, name="account_edit"),
    path("account/brand/", brands.brand_edit, name="brand_edit"),
    path("account/thresholds/", account.account_thresholds, name="account_thresholds"),
    path("account/switch/", acting.account_switch, name="account_switch"),
    path("account/changed/", acting.account_changed, name="account_changed"),
    path("account/none/", acting.no_account, name="no_account"),
    # /domains/
    path("domains/", domains.domain_list, name="domain_list"),
    path("domains/create/", domains.domain_create, name="domain_create"),
    # /domains/<id>/
    path("domains/<int:pk>/", domains.domain_detail, name="domain_detail"),
    path("domains/<int:pk>/check/", domains.domain_check, name="domain_check"),
    path("domains/<int:pk>/tracking/", domains.domain_tracking, name="domain_tracking"),
    path("domains/<int:pk>/delete/", domains.domain_delete, name="domain_delete"),
    path("domains/<int:pk>/keys/rotate/", keys.key_rotate, name="key_rotate"),
    path("domains/<int:pk>/keys/import/", keys.key_import, name="key_import"),
    # /senders/
    path("senders/", senders.sender_list, name="sender_list"),
    path("senders/create/", senders.sender_create, name="sender_create"),
    # /senders/<id>/
    path("senders/<int:pk>/edit/", senders.sender_edit, name="sender_edit"),
    path("senders/<int:pk>/delete/", senders.sender_delete, name="sender_delete"),
    # /security/
    path("security/", security.security, name="security"),
    path("security/password/", security.password_change, name="password_change"),
    path("security/address/", security.address_verify, name="address_verify"),
    path("security/address/<str:token>/", security.address_confirm, name="address_confirm"),
    path("security/stay/", acting.stay, name="stay"),
    # /language/
    path("language/", acting.language_switch, name="language_switch"),
]
