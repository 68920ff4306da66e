from __future__ import annotations

from django.urls import path

from campaigns.views import campaigns, drafts

app_name = "campaigns"
campaign_urls = [
    # /campaigns/
    path("campaigns/", campaigns.campaign_list, name="campaign_list"),
    path("campaigns/create/", campaigns.campaign_create, name="campaign_create"),
    # /campaigns/<id>/
    path("campaigns/<int:pk>/edit/", drafts.campaign_edit, name="campaign_edit"),
    path("campaigns/<int:pk>/preview/", drafts.campaign_preview, name="campaign_preview"),
    path("campaigns/<int:pk>/test/", drafts.campaign_test, name="campaign_test"),
    path("campaigns/<int:pk>/schedule/", drafts.campaign_schedule, name="campaign_schedule"),
    path("campaigns/<int:pk>/confirm/", drafts.campaign_confirm, name="campaign_confirm"),
    path("campaigns/<int:pk>/copy/", campaigns.campaign_copy, name="campaign_copy"),
    path("campaigns/<int:pk>/delete/", campaigns.campaign_delete, name="campaign_delete"),
    path("campaigns/<int:pk>/pause/", campaigns.campaign_pause, name="campaign_pause"),
    path("campaigns/<int:pk>/resume/", campaigns.campaign_resume, name="campaign_resume"),
    path("campaigns/<int:pk>/release/", campaigns.campaign_release, name="campaign_release"),
    path("campaigns/<int:pk>/cancel/", campaigns.campaign_cancel, name="campaign_cancel"),
]
urlpatterns = [*campaign_urls]
