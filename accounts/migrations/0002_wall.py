from django.db import migrations

from mailsales import wall


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(wall.MAKE_ROLE, migrations.RunSQL.noop),
        migrations.RunSQL(wall.GRANT, migrations.RunSQL.noop),
        *wall.guard("domain", "dkim_key", "sender"),
    ]
