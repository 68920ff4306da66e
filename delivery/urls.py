from __future__ import annotations

from django.urls import path

from delivery.sandbox import views as sandbox
from delivery.views import brands, browsing, languages, mailboxes, preferences, tracking, unsubscribing

app_name = "delivery"
urlpatterns = [
    # what mails link to: short, without a slash at the end (delivery/tracking.py)
    path("c/<str:token>", tracking.click, name="click"),
    path("o/<str:token>", tracking.pixel, name="pixel"),
    path("u/test", browsing.of_a_test, name="unsubscribe_of_a_test"),
    path("v/test", browsing.of_a_test, name="view_of_a_test"),
    path("u/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/reason", unsubscribing.unsubscribe_reason, name="unsubscribe_reason"),
    path("u/<str:token>/preferences", preferences.preferences, name="preferences"),
    path("u/<str:token>/address", preferences.address_change, name="address_change"),
    path("a/<str:token>", preferences.address_confirm, name="address_confirm"),
    path("b/<int:pk>/<str:version>.css", brands.brand_css, name="brand_css"),
    path("b/<int:pk>/<str:version>", brands.brand_logo, name="brand_logo"),
    path("l/<str:language>", languages.language_choose, name="language_choose"),
    path("v/<str:token>", browsing.mail_view, name="mail_view"),
    # /brand/
    path("brand/preview/", brands.brand_preview, name="brand_preview"),
    # /domains/<id>/mailbox/
    path("domains/<int:pk>/mailbox/", mailboxes.mailbox_edit, name="mailbox_edit"),
    path("domains/<int:pk>/mailbox/delete/", mailboxes.mailbox_delete, name="mailbox_delete"),
    # /sandbox/
    path("sandbox/", sandbox.sandbox_list, name="sandbox_list"),
    # /sandbox/<id>/
    path("sandbox/<int:pk>/", sandbox.sandbox_detail, name="sandbox_detail"),
    path("sandbox/<int:pk>/html/", sandbox.sandbox_html, name="sandbox_html"),
    path("sandbox/<int:pk>/download/", sandbox.sandbox_download, name="sandbox_download"),
]
