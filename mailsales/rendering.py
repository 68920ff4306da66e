"""How form fields are drawn: each through `templates/_field.html`."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FieldRenderer(TemplatesSetting):
    field_template_name = "_field.html"
