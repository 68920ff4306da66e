from django.db import migrations

from mailsales import wall

# No model: a tally has no key, is only ever added to, and is read by the ledger's statements alone.
TALLY = """
CREATE TABLE tally (account_id bigint NOT NULL, campaign_id bigint NOT NULL, destination_id integer NOT NULL, status varchar(20) NOT NULL, n bigint NOT NULL);
CREATE INDEX tally_campaign ON tally (campaign_id);
"""
STORAGE = """
ALTER TABLE message SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
CREATE INDEX lease_generation ON lease (generation_id);
CREATE INDEX lease_campaign ON lease (campaign_id);
INSERT INTO installation (id) VALUES (1);
"""
TENANTS = [
    "rendition", "fanout", "lane", "lease", "message", "attempt", "tally", "link", "open", "click", "bounce", "complaint", "unsubscribe", "inbound_mail", "sandbox_mail",
]


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("accounts", "0002_wall")]

    operations = [
        migrations.RunSQL(TALLY, "DROP TABLE tally;"),
        migrations.RunSQL(STORAGE, "DROP INDEX lease_generation; DROP INDEX lease_campaign; DELETE FROM installation;"),
        *wall.guard(*TENANTS),
    ]
