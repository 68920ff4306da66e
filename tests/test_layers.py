"""Imports and foreign keys point one way: mailsales <- accounts <- campaigns <- delivery <- reports."""

from __future__ import annotations

import ast
from pathlib import Path
from unittest import TestCase

from django.apps import apps
from django.db.models import ForeignKey

ROOT = Path(__file__).parent.parent
LAYERS = ["accounts", "campaigns", "delivery", "reports"]


def imported(path: Path) -> set[str]:
    """Return the top-level package of every import in the file, however deep."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[0] for name in names}


def may_import_apps(path: Path) -> bool:
    """Return whether it is one of the two places of the project package that may: urls.py and the commands."""
    parts = path.relative_to(ROOT / "mailsales").parts
    return parts == ("urls.py",) or parts[0] == "management"


class LayersTestCase(TestCase):
    def test_apps_import_only_to_the_left(self) -> None:
        for i, app in enumerate(LAYERS):
            for path in (ROOT / app).rglob("*.py"):
                with self.subTest(path=str(path.relative_to(ROOT))):
                    self.assertEqual(imported(path) & set(LAYERS[i + 1 :]), set())

    def test_project_modules_import_no_app(self) -> None:
        for path in (ROOT / "mailsales").rglob("*.py"):
            if not may_import_apps(path):
                with self.subTest(path=str(path.relative_to(ROOT))):
                    self.assertEqual(imported(path) & set(LAYERS), set())

    def test_foreign_keys_into_another_app_point_left_unseen(self) -> None:
        for app in LAYERS:
            for model in apps.get_app_config(app).get_models():
                for field in model._meta.fields:
                    if not isinstance(field, ForeignKey):
                        continue
                    other = field.related_model._meta.app_label
                    if other in LAYERS and other != app:
                        with self.subTest(field=str(field)):
                            self.assertLess(LAYERS.index(other), LAYERS.index(app))
                            self.assertEqual(field.remote_field.related_name, "+")
