import django.db.models.deletion
import django.db.models.functions
from django.db import migrations, models

from mailsales import wall

# An account takes its rows with it, also those that are written while its messages are deleted.
ACCOUNT = """
ALTER TABLE gone_message ADD CONSTRAINT gone_message_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE;
CREATE INDEX gone_message_account ON gone_message (account_id);
"""
# Whom a message that may have gone out was for: its links in mail must work for years (RFC 8058).
KEEP = """
CREATE FUNCTION keep_gone_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gone_message (message_id, account_id, contact_id, list_id, address)
  SELECT m.id, m.account_id, m.contact_id, c.list_id, m.address
  FROM deleted m JOIN account a ON a.id = m.account_id LEFT JOIN campaign c ON c.id = m.campaign_id
  WHERE m.address <> '' AND m.status NOT IN ('queued', 'suppressed', 'cancelled')
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_gone_messages AFTER DELETE ON message REFERENCING OLD TABLE AS deleted
FOR EACH STATEMENT EXECUTE FUNCTION keep_gone_messages();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_proofs_and_records"),
        ("delivery", "0004_mailboxes_and_strikes"),
    ]

    operations = [
        migrations.CreateModel(
            name="GoneMessage",
            fields=[
                ("message_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("contact_id", models.BigIntegerField(null=True)),
                ("list_id", models.BigIntegerField(null=True)),
                ("address", models.CharField(max_length=254)),
                ("gone_at", models.DateTimeField(db_default=django.db.models.functions.Now())),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={"db_table": "gone_message"},
        ),
        migrations.RunSQL(ACCOUNT, "ALTER TABLE gone_message DROP CONSTRAINT gone_message_account;"),
        migrations.RunSQL(KEEP, "DROP TRIGGER keep_gone_messages ON message; DROP FUNCTION keep_gone_messages();"),
        *wall.guard("gone_message"),
    ]
