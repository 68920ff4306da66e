from __future__ import annotations

from django.urls import path

from delivery import views
from delivery.sandbox import views as sandbox

app_name = "delivery"
urlpatterns = [
    # what mails link to: short, without a slash at the end (delivery/tracking.py)
    path("c/<str:token>", views.click, name="click"),
    path("o/<str:token>", views.pixel, name="pixel"),
    path("u/test", views.of_a_test, name="unsubscribe_of_a_test"),
    path("v/test", views.of_a_test, name="view_of_a_test"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/reason", views.unsubscribe_reason, name="unsubscribe_reason"),
    path("v/<str:token>", views.mail_view, name="mail_view"),
    # /sandbox/
    path("sandbox/", sandbox.sandbox_list, name="sandbox_list"),
    # /sandbox/<id>/
    path("sandbox/<int:pk>/", sandbox.sandbox_detail, name="sandbox_detail"),
    path("sandbox/<int:pk>/html/", sandbox.sandbox_html, name="sandbox_html"),
    path("sandbox/<int:pk>/download/", sandbox.sandbox_download, name="sandbox_download"),
]
