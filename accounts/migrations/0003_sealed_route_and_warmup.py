import django.core.validators
from django.db import migrations, models

from mailsales import vault


def seal_routes(apps, schema_editor):
    for account in apps.get_model("accounts", "Account").objects.exclude(route=""):
        account.sealed_route = vault.seal(account.route)
        account.save(update_fields=["sealed_route"])


def open_routes(apps, schema_editor):
    for account in apps.get_model("accounts", "Account").objects.exclude(sealed_route=""):
        account.route = vault.unseal(account.sealed_route)
        account.save(update_fields=["route"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_wall")]

    operations = [
        migrations.AddField("account", "sealed_route", models.TextField(blank=True, db_default="")),
        migrations.RunPython(seal_routes, open_routes),
        migrations.RemoveField("account", "route"),
        migrations.AddField("domain", "warmup_started_on", models.DateField("Warming up since", blank=True, null=True)),
        migrations.AddField("domain", "warmup_first", models.PositiveIntegerField("Messages to each provider on the first day", default=200)),
        migrations.AddField(
            "domain",
            "warmup_growth",
            models.FloatField(
                "Growth from day to day",
                default=1.5,
                validators=[django.core.validators.MinValueValidator(1.0), django.core.validators.MaxValueValidator(2.0)],
            ),
        ),
    ]
