from __future__ import annotations

from django.urls import path

from campaigns.views import campaigns, contacts, drafts, imports, lists, suppressions

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
contact_urls = [
    # /contacts/
    path("contacts/", contacts.contact_list, name="contact_list"),
    path("contacts/create/", contacts.contact_create, name="contact_create"),
    path("contacts/export/", contacts.contact_export, name="contact_export"),
    # /contacts/<id>/
    path("contacts/<int:pk>/", contacts.contact_detail, name="contact_detail"),
    path("contacts/<int:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("contacts/<int:pk>/delete/", contacts.contact_delete, name="contact_delete"),
]
import_urls = [
    # /imports/
    path("imports/create/", imports.import_create, name="import_create"),
    # /imports/<id>/
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/columns/", imports.import_map, name="import_map"),
    path("imports/<int:pk>/stop/", imports.import_stop, name="import_stop"),
    path("imports/<int:pk>/refused/", imports.import_refused, name="import_refused"),
]
list_urls = [
    # /lists/
    path("lists/", lists.list_list, name="list_list"),
    path("lists/create/", lists.list_create, name="list_create"),
    # /lists/<id>/
    path("lists/<int:pk>/", lists.list_detail, name="list_detail"),
    path("lists/<int:pk>/edit/", lists.list_edit, name="list_edit"),
    path("lists/<int:pk>/delete/", lists.list_delete, name="list_delete"),
]
suppression_urls = [
    # /suppressions/
    path("suppressions/", suppressions.suppression_list, name="suppression_list"),
    path("suppressions/create/", suppressions.suppression_create, name="suppression_create"),
    path("suppressions/import/", suppressions.suppression_import, name="suppression_import"),
    path("suppressions/export/", suppressions.suppression_export, name="suppression_export"),
    path("suppressions/undo/", suppressions.suppression_undo, name="suppression_undo"),
    # /suppressions/<id>/
    path("suppressions/<int:pk>/release/", suppressions.suppression_release, name="suppression_release"),
]
urlpatterns = [*campaign_urls, *contact_urls, *import_urls, *list_urls, *suppression_urls]
