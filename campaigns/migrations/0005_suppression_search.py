from django.db import migrations, models

from mailsales import wall

TRIGRAMS = "CREATE INDEX suppression_trigrams ON suppression USING gin (lower(address) gin_trgm_ops);"
# LIKE is not leakproof, so under row-level security it uses no index: the door that contacts have (0003), for suppressions.
# It runs as the owner, checks the account itself, and gives away nothing but ids of that account and of everybody's rows.
# Few matches are collected by the index and then sorted; of many, the newest are soon met by walking back.
SEARCH = r"""
CREATE FUNCTION suppression_search(word text, in_reason text, only_shared boolean, after_id bigint, before_id bigint, most integer)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  own bigint := nullif(current_setting('app.account_id', true), '')::bigint;
  few CONSTANT integer := 2000;
  wanted text := '';
  paged text;
  scopes text[];
  found bigint[];
BEGIN
  IF own IS NULL THEN
    RETURN;
  END IF;
  IF in_reason <> '' THEN
    wanted := wanted || format(' AND s.reason = %L', in_reason);
  END IF;
  IF word <> '' THEN
    wanted := wanted || format(' AND (lower(s.address) LIKE %L OR s.address = %L)', '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%',
      CASE WHEN word LIKE '%@%' THEN '*@' || split_part(word, '@', -1) ELSE word END);
  END IF;
  scopes := ARRAY[format('SELECT s.id FROM suppression s WHERE s.account_id IS NULL%s', wanted)];
  IF NOT only_shared THEN
    scopes := scopes || format('SELECT s.id FROM suppression s WHERE s.account_id = %s%s', own, wanted);
  END IF;
  paged := CASE WHEN before_id IS NOT NULL THEN format('id > %s ORDER BY id ASC', before_id)
    ELSE format('id < %s ORDER BY id DESC', coalesce(after_id, 9223372036854775807)) END || format(' LIMIT %s', most);
  IF word <> '' THEN
    EXECUTE 'SELECT array_agg(id) FROM (' || (SELECT string_agg(format('(%s LIMIT %s)', scope, few + 1), ' UNION ALL ') FROM unnest(scopes) scope) || ') m' INTO found;
    IF coalesce(array_length(found, 1), 0) <= few THEN
      RETURN QUERY EXECUTE format('SELECT id FROM unnest($1) m(id) WHERE %s', paged) USING coalesce(found, '{}');
      RETURN;
    END IF;
  END IF;
  RETURN QUERY EXECUTE format('SELECT id FROM (%s) m WHERE %s',
    (SELECT string_agg(format('(%s AND s.%s)', scope, paged), ' UNION ALL ') FROM unnest(scopes) scope), paged);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_retries_and_address_changes")]

    operations = [
        migrations.AlterModelOptions("suppression", options={"verbose_name": "suppression", "verbose_name_plural": "suppressions"}),
        migrations.AlterField("suppression", "address", models.CharField(max_length=254, verbose_name="Address or domain")),
        migrations.AddIndex("suppression", models.Index(fields=["account", "id"], name="suppression_by_account")),
        migrations.AddIndex("suppression", models.Index(fields=["account", "reason", "id"], name="suppression_by_reason")),
        migrations.RunSQL(TRIGRAMS, "DROP INDEX suppression_trigrams;"),
        migrations.RunSQL(SEARCH, "DROP FUNCTION suppression_search;"),
        *wall.let_share("suppression"),
    ]
