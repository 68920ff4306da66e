-- Every statement of the delivery protocol, under the name by which docs/ledger.md and the code call it.
-- Parameters are psycopg's. One statement is one transaction, except `finish`, whose three parts share one.

-- claim
-- Lane. Queued or deferred to sending. Generation open, campaign sending, installation not held, row due and not locked by another.
WITH me AS (
  SELECT id FROM generation WHERE id = %(generation)s AND closed_at IS NULL FOR SHARE
), due AS (
  SELECT m.id, m.due_at FROM message m
  WHERE m.campaign_id = %(campaign)s AND m.due_at <= now() AND (m.due_at, m.id) > (%(floor_due)s::timestamptz, %(floor_id)s::bigint)
    AND EXISTS (SELECT FROM me) AND EXISTS (SELECT FROM installation WHERE held_at IS NULL)
    AND EXISTS (SELECT FROM campaign WHERE id = %(campaign)s AND status = 'sending')
  ORDER BY m.due_at, m.id LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
), granted AS (
  INSERT INTO lease (account_id, generation_id, campaign_id, unsettled, message_ids)
  SELECT (SELECT account_id FROM campaign WHERE id = %(campaign)s), %(generation)s, %(campaign)s, count(*), array_agg(id)
  FROM due HAVING count(*) > 0 RETURNING id
), taken AS (
  UPDATE message m SET status = 'sending', due_at = NULL, lease_id = granted.id FROM due, granted WHERE m.id = due.id
  RETURNING m.id, m.lease_id, m.contact_id, m.destination_id, m.address, m.tries, due.due_at
)
SELECT t.id, t.lease_id, t.destination_id, t.tries, t.due_at, c.expires_at, t.address, k.name, k.fields,
  k.id IS NULL OR u.contact_id IS NULL OR EXISTS (SELECT FROM suppression s WHERE s.address IN (t.address, '*@' || split_part(t.address, '@', -1))
    AND (s.account_id IS NULL OR s.account_id = c.account_id) AND (s.retry_at IS NULL OR s.retry_at > now())) AS is_barred
FROM taken t JOIN campaign c ON c.id = %(campaign)s LEFT JOIN contact k ON k.id = t.contact_id
LEFT JOIN subscription u ON u.list_id = c.list_id AND u.contact_id = t.contact_id AND u.status = 'confirmed';

-- record
-- Worker, replayer. Sending to sent, bounced, deferred, suppressed, unknown, or back to queued: only under the very lease. Returns what it changed.
WITH told AS (
  SELECT * FROM unnest(%(ids)s::bigint[], %(leases)s::bigint[], %(statuses)s::text[], %(reasons)s::text[], %(dues)s::timestamptz[],
    %(codes)s::smallint[], %(commands)s::text[], %(hosts)s::text[], %(texts)s::text[])
    AS t(id, lease_id, status, reason, due_at, code, command, host, text)
), held AS (
  SELECT id FROM lease WHERE id = ANY (%(leases)s::bigint[]) ORDER BY id FOR UPDATE
), done AS (
  UPDATE message m SET status = CASE WHEN t.status = 'queued' AND m.tries > 0 THEN 'deferred' ELSE t.status END, reason = t.reason,
    due_at = t.due_at, tries = m.tries + (t.code IS NOT NULL)::int, closed_at = CASE WHEN t.due_at IS NULL THEN now() END
  FROM told t JOIN held ON held.id = t.lease_id
  WHERE m.id = t.id AND m.lease_id = t.lease_id AND m.status = 'sending'
  RETURNING m.account_id, m.campaign_id, m.destination_id, m.status AS became, m.tries - (t.code IS NOT NULL)::int AS tries_before, t.*
), logged AS (
  INSERT INTO attempt (account_id, message_id, lease_id, code, command, host, text)
  SELECT account_id, id, lease_id, code, command, host, text FROM done WHERE code IS NOT NULL
), counted AS (
  INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
  SELECT account_id, campaign_id, destination_id, s.status, sum(s.n)
  FROM done, LATERAL (VALUES (became, 1), ('deferred', -(tries_before > 0)::int)) s(status, n)
  WHERE s.status <> 'queued' GROUP BY 1, 2, 3, 4 HAVING sum(s.n) <> 0
), fewer AS (
  UPDATE lease l SET unsettled = l.unsettled - d.n FROM (SELECT lease_id, count(*) AS n FROM done GROUP BY 1) d WHERE l.id = d.lease_id
)
SELECT id FROM done;

-- evidence
-- Worker, replayer. Unknown to sent or bounced: a reply that came after the sweeper gave up, under the same lease.
WITH told AS (
  SELECT * FROM unnest(%(ids)s::bigint[], %(leases)s::bigint[], %(statuses)s::text[], %(reasons)s::text[], %(codes)s::smallint[],
    %(commands)s::text[], %(hosts)s::text[], %(texts)s::text[]) AS t(id, lease_id, status, reason, code, command, host, text)
  WHERE status IN ('sent', 'bounced') AND code IS NOT NULL
), done AS (
  UPDATE message m SET status = t.status, reason = t.reason, tries = m.tries + 1, closed_at = now() FROM told t
  WHERE m.id = t.id AND m.lease_id = t.lease_id AND m.status = 'unknown' RETURNING m.account_id, m.campaign_id, m.destination_id, t.*
), logged AS (
  INSERT INTO attempt (account_id, message_id, lease_id, code, command, host, text)
  SELECT account_id, id, lease_id, code, command, host, text FROM done ON CONFLICT (message_id, lease_id) DO NOTHING
), counted AS (
  INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
  SELECT account_id, campaign_id, destination_id, s.status, sum(s.n)
  FROM done, LATERAL (VALUES (done.status, 1), ('unknown', -1)) s(status, n) GROUP BY 1, 2, 3, 4
)
SELECT id FROM done;

-- watch
-- Worker, twice a second. Its beat, its leases, and what must not be sent any more.
WITH beat AS (
  UPDATE generation SET beat_at = now(), suspect_at = NULL WHERE id = %(generation)s AND closed_at IS NULL RETURNING id
), swept AS (
  DELETE FROM lease WHERE generation_id = %(generation)s AND unsettled = 0
)
SELECT EXISTS (SELECT FROM beat) AS is_open, (SELECT held_at IS NOT NULL FROM installation) AS is_held,
  ARRAY(SELECT id FROM lease WHERE generation_id = %(generation)s AND unsettled > 0) AS leases,
  ARRAY(SELECT c.id FROM campaign c WHERE c.id = ANY (%(campaigns)s::bigint[]) AND c.status <> 'sending') AS stopped,
  ARRAY(SELECT m.id FROM message m JOIN campaign c ON c.id = m.campaign_id LEFT JOIN contact k ON k.id = m.contact_id
    LEFT JOIN subscription u ON u.list_id = c.list_id AND u.contact_id = m.contact_id AND u.status = 'confirmed'
    WHERE m.id = ANY (%(waiting)s::bigint[]) AND (k.id IS NULL OR u.contact_id IS NULL OR EXISTS (SELECT FROM suppression s
      WHERE s.address IN (m.address, '*@' || split_part(m.address, '@', -1)) AND (s.account_id IS NULL OR s.account_id = m.account_id)
        AND (s.retry_at IS NULL OR s.retry_at > now())))) AS barred;

-- open_generation
-- Worker process, when it starts.
INSERT INTO generation (host, boot, pid) VALUES (%(host)s, %(boot)s, %(pid)s) RETURNING id;
-- close_generation
-- Worker with no lease left; replayer with the journal lock in hand (waits for a claim in doubt: FOR SHARE above).
UPDATE generation SET closed_at = now(), closed_by = %(who)s WHERE id = %(generation)s AND closed_at IS NULL;
-- leases_of
-- Replayer.
SELECT id, message_ids FROM lease WHERE generation_id = %(generation)s AND unsettled > 0;
-- suspect
-- Sweeper.
UPDATE generation SET suspect_at = now() WHERE closed_at IS NULL AND suspect_at IS NULL AND beat_at < now() - interval '15 minutes';
-- close_lost
-- Sweeper: no beat for 15 minutes and none for another minute after the suspicion, so one step of the clock closes nobody.
UPDATE generation SET closed_at = now(), closed_by = 'sweeper' WHERE closed_at IS NULL AND suspect_at < now() - interval '1 minute';
-- settle_lost
-- Sweeper. Sending to unknown.
WITH lost AS (
  SELECT l.id, l.message_ids FROM lease l JOIN generation g ON g.id = l.generation_id
  WHERE l.unsettled > 0 AND (g.closed_by = 'sweeper' OR g.closed_at < now() - interval '15 minutes')
  ORDER BY l.id LIMIT 20 FOR UPDATE OF l SKIP LOCKED
), done AS (
  UPDATE message m SET status = 'unknown', reason = 'worker_lost', closed_at = now() FROM lost
  WHERE m.id = ANY (lost.message_ids) AND m.lease_id = lost.id AND m.status = 'sending'
  RETURNING m.account_id, m.campaign_id, m.destination_id, m.tries, m.lease_id
), counted AS (
  INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
  SELECT account_id, campaign_id, destination_id, s.status, sum(s.n)
  FROM done, LATERAL (VALUES ('unknown', 1), ('deferred', -(tries > 0)::int)) s(status, n) GROUP BY 1, 2, 3, 4 HAVING sum(s.n) <> 0
)
UPDATE lease l SET unsettled = 0 FROM lost WHERE l.id = lost.id RETURNING l.id;

-- forget
-- Sweeper. Leases of closed generations that are settled.
DELETE FROM lease l USING generation g WHERE g.id = l.generation_id AND g.closed_at IS NOT NULL AND l.unsettled = 0;

-- press_send
-- Web.
UPDATE campaign SET status = 'scheduled', send_at = coalesce(%(send_at)s, now()) WHERE id = %(campaign)s AND status IN ('draft', 'approved');
-- hold_late
-- Tick, before start.
UPDATE campaign SET status = 'held' WHERE status = 'scheduled' AND send_at < now() - interval '1 hour';
-- hold_after_outage
-- Tick: if no tick ran for an hour, what was being sent asks a person too.
WITH was AS (
  SELECT ticked_at FROM installation WHERE id = 1 FOR UPDATE
), ticked AS (
  UPDATE installation SET ticked_at = now() WHERE id = 1
)
UPDATE campaign SET status = 'held' FROM was WHERE status = 'sending' AND was.ticked_at < now() - interval '1 hour';
-- release
-- Operator, web.
UPDATE campaign c SET status = CASE WHEN EXISTS (SELECT FROM rendition r WHERE r.campaign_id = c.id) THEN 'sending' ELSE 'scheduled' END,
  send_at = CASE WHEN send_at < now() THEN now() ELSE send_at END, expires_at = greatest(expires_at, now() + interval '24 hours')
WHERE id = %(campaign)s AND status = 'held';
-- start
-- Tick. The content was rendered from the row at this revision.
WITH started AS (
  UPDATE campaign SET status = 'sending', expires_at = now() + %(expiry)s::interval
  WHERE id = %(campaign)s AND status = 'scheduled' AND revision = %(revision)s AND EXISTS (SELECT FROM installation WHERE held_at IS NULL)
  RETURNING id, account_id
), frozen AS (
  INSERT INTO rendition (account_id, campaign_id, content) SELECT account_id, id, %(content)s::bytea FROM started
), linked AS (
  INSERT INTO link (account_id, campaign_id, number, url, label) SELECT account_id, id, number, url, label
  FROM started, unnest(%(numbers)s::smallint[], %(urls)s::text[], %(labels)s::text[]) AS t(number, url, label)
), cursor AS (
  INSERT INTO fanout (account_id, campaign_id) SELECT account_id, id FROM started
)
INSERT INTO lane (account_id, campaign_id, slot) SELECT account_id, id, n FROM started, generate_series(1, %(lanes)s) n RETURNING campaign_id, slot, epoch;

-- fan_out_turn
-- Fan-out task: where the next slice begins. The values go into fan_out as constants, so that its plan is the index scan.
SELECT f.after_id, c.list_id FROM fanout f JOIN campaign c ON c.id = f.campaign_id WHERE f.campaign_id = %(campaign)s AND f.done_at IS NULL;
-- fan_out
-- Fan-out task, again and again until done_at is set. No row: another task had the turn.
WITH turn AS (
  SELECT f.campaign_id, c.account_id FROM fanout f JOIN campaign c ON c.id = f.campaign_id
  WHERE f.campaign_id = %(campaign)s AND f.after_id = %(after)s AND f.done_at IS NULL AND c.status IN ('sending', 'paused', 'held')
  FOR UPDATE OF f SKIP LOCKED
), slice AS (
  SELECT u.contact_id FROM subscription u
  WHERE u.list_id = %(list)s AND u.contact_id > %(after)s AND u.status = 'confirmed' AND EXISTS (SELECT FROM turn)
  ORDER BY u.contact_id LIMIT %(limit)s
), fanned AS (
  INSERT INTO message (account_id, campaign_id, contact_id, destination_id, address, due_at)
  SELECT turn.account_id, turn.campaign_id, k.id, k.destination_id, k.address, now() FROM turn, slice,
    LATERAL (SELECT * FROM contact WHERE contact.id = slice.contact_id OFFSET 0) k
  WHERE NOT EXISTS (SELECT FROM suppression s WHERE s.address IN (k.address, '*@' || split_part(k.address, '@', -1))
    AND (s.account_id IS NULL OR s.account_id = turn.account_id) AND (s.retry_at IS NULL OR s.retry_at > now()))
  ON CONFLICT (campaign_id, contact_id) DO NOTHING RETURNING account_id, destination_id
), counted AS (
  INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
  SELECT account_id, %(campaign)s, destination_id, 'all', count(*) FROM fanned GROUP BY account_id, destination_id
)
UPDATE fanout f SET after_id = coalesce((SELECT max(contact_id) FROM slice), f.after_id),
  done_at = CASE WHEN (SELECT count(*) FROM slice) < %(limit)s THEN now() END
FROM turn WHERE f.campaign_id = turn.campaign_id RETURNING f.after_id, f.done_at;

-- ring
-- Tick: publishes a task (campaign, slot, epoch) for each row.
UPDATE lane l SET rung_at = now() FROM campaign c WHERE c.id = l.campaign_id AND c.status = 'sending' AND l.rung_at < now() - interval '5 seconds'
  AND EXISTS (SELECT FROM message m WHERE m.campaign_id = c.id AND m.due_at <= now()) RETURNING l.campaign_id, l.slot, l.epoch;
-- take_lane
-- Lane task, first thing; no row: throw the task away.
UPDATE lane SET epoch = epoch + 1, rung_at = now() WHERE campaign_id = %(campaign)s AND slot = %(slot)s AND epoch = %(epoch)s RETURNING epoch;

-- pause
-- Web.
UPDATE campaign SET status = 'paused', paused_at = now() WHERE id = %(campaign)s AND status = 'sending';
-- resume
-- Web.
UPDATE campaign SET status = 'sending', expires_at = expires_at + (now() - paused_at), paused_at = NULL WHERE id = %(campaign)s AND status = 'paused';
-- cancel
-- Web.
UPDATE campaign SET status = 'cancelled', paused_at = NULL WHERE id = %(campaign)s AND status IN ('scheduled', 'sending', 'paused', 'held');
-- close_due
-- Tick, until it returns nothing: cancelled campaigns, expired messages.
WITH slice AS (
  SELECT m.id, c.status FROM message m JOIN campaign c ON c.id = m.campaign_id
  WHERE m.campaign_id = %(campaign)s AND m.due_at IS NOT NULL AND (c.status = 'cancelled' OR (c.status = 'sending' AND c.expires_at < now()))
  ORDER BY m.due_at, m.id LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
), done AS (
  UPDATE message m SET due_at = NULL, closed_at = now(), status = CASE slice.status WHEN 'cancelled' THEN 'cancelled' ELSE 'bounced' END,
    reason = CASE slice.status WHEN 'cancelled' THEN 'cancelled' ELSE 'expired' END
  FROM slice WHERE m.id = slice.id RETURNING m.account_id, m.campaign_id, m.destination_id, m.status, m.tries
)
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, s.status, sum(s.n)
FROM done, LATERAL (VALUES (done.status, 1), ('deferred', -(tries > 0)::int)) s(status, n) GROUP BY 1, 2, 3, 4 HAVING sum(s.n) <> 0 RETURNING n;
-- finish_lock
-- Tick. Three statements in one transaction: the locks come first, so that the third sees what the lock holders before it did.
SELECT id FROM campaign WHERE id = %(campaign)s AND status IN ('sending', 'cancelled') AND closed_at IS NULL FOR NO KEY UPDATE;
-- finish_lock_fanout
SELECT campaign_id FROM fanout WHERE campaign_id = %(campaign)s FOR UPDATE;
-- finish
UPDATE campaign c SET status = CASE c.status WHEN 'sending' THEN 'sent' ELSE c.status END, closed_at = now()
WHERE c.id = %(campaign)s AND c.status IN ('sending', 'cancelled') AND c.closed_at IS NULL
  AND (c.status = 'cancelled' OR EXISTS (SELECT FROM fanout f WHERE f.campaign_id = c.id AND f.done_at IS NOT NULL))
  AND NOT EXISTS (SELECT FROM message m WHERE m.campaign_id = c.id AND m.due_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM lease l WHERE l.campaign_id = c.id AND l.unsettled > 0);

-- resend
-- Web, operator. seen_at: the time at which the page showed them as unknown.
WITH opened AS (
  UPDATE campaign SET status = CASE status WHEN 'sent' THEN 'sending' ELSE status END, closed_at = NULL,
    expires_at = greatest(expires_at, now() + interval '24 hours')
  WHERE id = %(campaign)s AND status IN ('sending', 'paused', 'sent') RETURNING id
), again AS (
  UPDATE message m SET status = CASE m.tries WHEN 0 THEN 'queued' ELSE 'deferred' END, due_at = now(), closed_at = NULL, reason = NULL
  FROM opened WHERE m.campaign_id = opened.id AND m.reason IN ('no_reply', 'worker_lost', 'restored') AND m.status = 'unknown'
    AND m.closed_at <= %(seen_at)s RETURNING m.account_id, m.campaign_id, m.destination_id, m.tries
)
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, s.status, sum(s.n)
FROM again, LATERAL (VALUES ('unknown', -1), ('deferred', (tries > 0)::int)) s(status, n) GROUP BY 1, 2, 3, 4 HAVING sum(s.n) <> 0 RETURNING n;
-- hasten
-- Operator, until it changes nothing, and worker where a destination stands idle. What was put off untried: due now. A null scope is the whole route.
WITH slice AS (
  SELECT m.id FROM message m
  WHERE m.campaign_id = ANY (%(campaigns)s::bigint[]) AND m.due_at > now() AND m.due_at <= %(before)s AND m.tries = 0
    AND (%(scope)s::text IS NULL OR m.destination_id IN (SELECT g.destination_id FROM destination_group g WHERE %(scope)s::text IN (g."group", g.site)))
  LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
)
UPDATE message m SET due_at = now() FROM slice WHERE m.id = slice.id AND m.due_at > now();

-- progress
-- Web.
SELECT destination_id, status, sum(n) FROM tally WHERE campaign_id = %(campaign)s GROUP BY 1, 2;
-- in_flight
-- Web.
SELECT sum(unsettled) FROM lease WHERE campaign_id = %(campaign)s;
-- fold
-- Tick, every 10 s for campaigns that send.
WITH old AS (DELETE FROM tally WHERE campaign_id = %(campaign)s RETURNING *)
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, status, sum(n) FROM old GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;

-- restore_hold
-- Restore, in one transaction before any process may connect. Then fan_out for each campaign held with a rendition, then restore_settle.
UPDATE installation SET held_at = now(), ticked_at = now();
UPDATE generation SET closed_at = now(), closed_by = 'restore' WHERE closed_at IS NULL;
UPDATE campaign SET status = 'held' WHERE status IN ('sending', 'paused') OR (status = 'scheduled' AND send_at <= now());
SELECT setval(pg_get_serial_sequence('lease', 'id'), nextval(pg_get_serial_sequence('lease', 'id')) + 4294967296),
  setval(pg_get_serial_sequence('generation', 'id'), nextval(pg_get_serial_sequence('generation', 'id')) + 4294967296);
-- restore_settle
-- Restore, in slices by id. Open rows may have been sent after the backup was taken.
UPDATE message SET status = 'unknown', reason = 'restored', due_at = NULL, closed_at = now(), lease_id = NULL
WHERE id > %(after)s AND id <= %(to)s AND status IN ('queued', 'deferred', 'sending');
-- restore_tally
-- Restore, after the last slice: the log is made again from the rows.
WITH old AS (
  DELETE FROM tally
), gone AS (
  DELETE FROM lease
), fresh AS (
  SELECT account_id, campaign_id, destination_id, status, count(*) AS n FROM message GROUP BY 1, 2, 3, 4
)
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, 'all', sum(n) FROM fresh GROUP BY 1, 2, 3
UNION ALL SELECT account_id, campaign_id, destination_id, status, n FROM fresh WHERE status NOT IN ('queued', 'sending');

-- suppress
-- Worker, replayer, before `record`: addresses that their own server says do not exist. Run twice, it changes nothing.
INSERT INTO suppression (account_id, address, reason, evidence)
SELECT DISTINCT ON (m.account_id, m.address) m.account_id, m.address, t.reason,
  jsonb_build_object('text', t.text, 'campaign', c.name, 'list', coalesce(l.name, ''))
FROM unnest(%(ids)s::bigint[], %(leases)s::bigint[], %(reasons)s::text[], %(texts)s::text[]) AS t(id, lease_id, reason, text)
JOIN message m ON m.id = t.id AND m.lease_id = t.lease_id JOIN campaign c ON c.id = m.campaign_id LEFT JOIN mailing_list l ON l.id = c.list_id
WHERE m.address <> ''
ON CONFLICT (address, account_id) DO UPDATE SET reason = excluded.reason, evidence = excluded.evidence, retry_at = NULL, created_at = now()
WHERE suppression.retry_at IS NOT NULL;
-- strike
-- Worker, replayer, before `record`: addresses whose server gave them up for now, one row for a day on which they were claimed. Run twice, it
-- changes nothing.
INSERT INTO strike (account_id, address, "on", reason, text, message_id)
SELECT DISTINCT ON (m.account_id, m.address) m.account_id, m.address, (l.claimed_at AT TIME ZONE 'UTC')::date, t.reason, t.text, m.id
FROM unnest(%(ids)s::bigint[], %(leases)s::bigint[], %(reasons)s::text[], %(texts)s::text[]) AS t(id, lease_id, reason, text)
JOIN message m ON m.id = t.id AND m.lease_id = t.lease_id JOIN lease l ON l.id = t.lease_id
WHERE m.address <> ''
ON CONFLICT (account_id, address, "on") DO NOTHING;
-- let_go
-- Worker, replayer, after `strike`; inbound mail. Who was given up on enough days, with no success between, is left out until `retry_at`; who had
-- been left out so before, and has not been reached since, at once. Run twice, it changes nothing.
WITH struck AS (
  SELECT DISTINCT ON (m.account_id, m.address) m.account_id, m.contact_id, m.address, s."on", s.reason, s.text, s.message_id,
    a.soft_bounce_days, a.soft_bounce_window, a.retry_days, (p.retry_at AT TIME ZONE 'UTC')::date AS again_on
  FROM message m JOIN account a ON a.id = m.account_id JOIN strike s ON s.account_id = m.account_id AND s.address = m.address
  LEFT JOIN suppression p ON p.address = m.address AND p.account_id = m.account_id AND p.retry_at <= now() AND p.reason <> 'paused'
    AND (p.retry_at AT TIME ZONE 'UTC')::date <= s."on"
  WHERE m.id = ANY (%(ids)s::bigint[]) AND m.address <> '' ORDER BY m.account_id, m.address, s."on" DESC
), near AS MATERIALIZED (
  SELECT * FROM struck WHERE again_on IS NOT NULL OR (SELECT count(*) FROM strike s WHERE s.account_id = struck.account_id
    AND s.address = struck.address AND s."on" > struck."on" - struck.soft_bounce_window) >= struck.soft_bounce_days
), judged AS (
  SELECT near.*, (SELECT max(r.closed_at AT TIME ZONE 'UTC')::date FROM message r WHERE r.contact_id = near.contact_id AND r.address = near.address
    AND r.status = 'sent' AND r.closed_at < near."on"::timestamp AT TIME ZONE 'UTC'
    AND NOT EXISTS (SELECT FROM bounce b WHERE b.message_id = r.id)) AS reached_on
  FROM near
)
INSERT INTO suppression (account_id, address, reason, evidence, retry_at)
SELECT j.account_id, j.address, j.reason,
  jsonb_build_object('text', j.text, 'campaign', coalesce(c.name, ''), 'list', coalesce(l.name, ''), 'days', days.said),
  (j."on" + j.retry_days)::timestamp AT TIME ZONE 'UTC'
FROM judged j CROSS JOIN LATERAL (
  SELECT count(*) AS n, jsonb_agg(s."on" ORDER BY s."on") AS said FROM strike s WHERE s.account_id = j.account_id AND s.address = j.address
    AND s."on" > j."on" - j.soft_bounce_window AND (j.reached_on IS NULL OR s."on" > j.reached_on)
) days
LEFT JOIN message f ON f.id = j.message_id LEFT JOIN campaign c ON c.id = f.campaign_id LEFT JOIN mailing_list l ON l.id = c.list_id
WHERE days.n >= j.soft_bounce_days OR (j.again_on IS NOT NULL AND (j.reached_on IS NULL OR j.reached_on < j.again_on))
ON CONFLICT (address, account_id) DO UPDATE SET reason = excluded.reason, evidence = excluded.evidence, retry_at = excluded.retry_at,
  created_at = now(), created_by_id = NULL
WHERE suppression.retry_at < excluded.retry_at;
-- forgive
-- Web: who is mailed again begins anew.
DELETE FROM strike WHERE account_id = %(account)s AND address = ANY (%(addresses)s::text[]);
