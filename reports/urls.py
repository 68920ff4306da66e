from __future__ import annotations

from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("", views.home, name="home"),
    # /campaigns/<id>/report/
    path("campaigns/<int:pk>/report/", views.campaign_report, name="campaign_report"),
    path("campaigns/<int:pk>/report/export/", views.campaign_export, name="campaign_export"),
    path("campaigns/<int:pk>/report/resend/", views.campaign_resend, name="campaign_resend"),
    # /messages/<id>/
    path("messages/<int:pk>/", views.message_detail, name="message_detail"),
    path("rules/machines/", views.rules, name="rules"),
]
