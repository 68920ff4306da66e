from django.db import migrations

from mailsales import wall

INDEXES = """
CREATE INDEX contact_search_trigrams ON contact USING gin (search_key gin_trgm_ops);
CREATE INDEX contact_search_bigrams ON contact USING gin (bigrams);
"""
STAGING = """
CREATE UNLOGGED TABLE import_row (
  account_id bigint NOT NULL, import_id bigint NOT NULL, line integer NOT NULL, address text NOT NULL, domain text NOT NULL, name text NOT NULL, fields jsonb NOT NULL
);
CREATE INDEX import_row_line ON import_row (import_id, line);
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("accounts", "0002_wall")]

    operations = [
        migrations.RunSQL(INDEXES, "DROP INDEX contact_search_trigrams; DROP INDEX contact_search_bigrams;"),
        migrations.RunSQL(STAGING, "DROP TABLE import_row;"),
        *wall.guard("contact_field", "contact", "mailing_list", "subscription", "contact_import", "import_refusal", "import_row", "campaign", "test_send"),
        *wall.guard("suppression", is_shared=True),
    ]
