-- What the relay needs across firms: which rows wait, never what is in them.  Every function
-- answers with tenant and id alone; the work itself is done behind the wall of that tenant.
GRANT SELECT (tenant_id, id, state, deaths, due_at, published_at, lease_until),
      UPDATE (state, deaths, due_at, published_at, lease_until, lease_by, error)
  ON job TO huiyin_queue;
-- ;;
GRANT SELECT (tenant_id, id, relayed_at, held_until), UPDATE (held_until)
  ON outbox_event TO huiyin_queue;
-- ;;
GRANT SELECT (tenant_id, id, due_at) ON schedule TO huiyin_queue;
-- ;;
CREATE POLICY queue_serves ON job TO huiyin_queue USING (true) WITH CHECK (true);
-- ;;
CREATE POLICY queue_serves ON outbox_event TO huiyin_queue USING (true) WITH CHECK (true);
-- ;;
CREATE POLICY queue_reads ON schedule FOR SELECT TO huiyin_queue USING (true);
-- ;;
-- The bell: one notification per transaction, however many rows, and no round trip of its own.
CREATE OR REPLACE FUNCTION queue_ring() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM pg_catalog.pg_notify('huiyin_queue', '');
  RETURN NULL;
END $$;
-- ;;
REVOKE ALL ON FUNCTION queue_ring() FROM PUBLIC;
-- ;;
CREATE TRIGGER ring AFTER INSERT ON outbox_event FOR EACH STATEMENT EXECUTE FUNCTION queue_ring();
-- ;;
CREATE TRIGGER ring AFTER INSERT ON job FOR EACH STATEMENT EXECUTE FUNCTION queue_ring();
-- ;;
-- Unsent events, in turn of the firms.  By what is unsent and never by the last id seen: a slow
-- transaction commits an older id later.
CREATE FUNCTION queue_claim_events(n integer)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH RECURSIVE firm AS (
    (SELECT e.tenant_id FROM public.outbox_event e WHERE e.relayed_at IS NULL
     ORDER BY e.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.tenant_id FROM public.outbox_event e
            WHERE e.relayed_at IS NULL AND e.tenant_id > f.tenant_id
            ORDER BY e.tenant_id LIMIT 1)
    FROM firm f WHERE f.tenant_id IS NOT NULL
  ), turn AS MATERIALIZED (
    SELECT w.tenant_id, w.id, row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.id) AS nth
    FROM firm f CROSS JOIN LATERAL (
      SELECT e.tenant_id, e.id FROM public.outbox_event e
      WHERE e.tenant_id = f.tenant_id AND e.relayed_at IS NULL
        AND (e.held_until IS NULL OR e.held_until < statement_timestamp())
      ORDER BY e.id LIMIT n
    ) w
    ORDER BY nth, w.id LIMIT n
  ), free AS MATERIALIZED (
    SELECT e.tenant_id, e.id, t.nth
    FROM turn t JOIN public.outbox_event e ON e.tenant_id = t.tenant_id AND e.id = t.id
    WHERE e.relayed_at IS NULL
    FOR UPDATE OF e SKIP LOCKED
  )
  SELECT f.tenant_id, f.id FROM free f ORDER BY f.nth, f.id
$$;
-- ;;
-- Due jobs to ring for, in turn of the firms; what a firm already has in hand counts as its first
-- turns, so that it does not win the next one by the age of its flood.  At most `room` are rung and
-- not yet begun: a flood waits here, where turns are taken, and not in the broker's line.  A bell
-- that was not answered within `patience` is rung again.
CREATE FUNCTION queue_due_jobs(room integer, patience interval, ahead interval)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH RECURSIVE firm AS (
    (SELECT j.tenant_id FROM public.job j WHERE j.state = 'queued' ORDER BY j.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.tenant_id FROM public.job j
            WHERE j.state = 'queued' AND j.tenant_id > f.tenant_id
            ORDER BY j.tenant_id LIMIT 1)
    FROM firm f WHERE f.tenant_id IS NOT NULL
  ), rung AS MATERIALIZED (
    SELECT j.tenant_id, count(*) AS jobs FROM public.job j
    WHERE j.state = 'queued' AND j.published_at > statement_timestamp() - patience
    GROUP BY j.tenant_id
  ), begun AS MATERIALIZED (
    SELECT j.tenant_id, count(*) AS jobs FROM public.job j WHERE j.state = 'leased'
    GROUP BY j.tenant_id
  ), turn AS MATERIALIZED (
    SELECT w.tenant_id, w.id, w.due_at,
           row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.due_at, w.id)
             + coalesce(r.jobs, 0) + coalesce(b.jobs, 0) AS nth
    FROM firm f
    LEFT JOIN rung r ON r.tenant_id = f.tenant_id
    LEFT JOIN begun b ON b.tenant_id = f.tenant_id
    CROSS JOIN LATERAL (
      SELECT j.tenant_id, j.id, j.due_at FROM public.job j
      WHERE j.tenant_id = f.tenant_id AND j.state = 'queued'
        AND j.due_at <= statement_timestamp() + ahead
        AND (j.published_at IS NULL OR j.published_at <= statement_timestamp() - patience)
      ORDER BY j.due_at, j.id LIMIT room
    ) w
    ORDER BY nth, w.due_at, w.id
    LIMIT (SELECT greatest(0, room - coalesce(sum(r.jobs), 0)) FROM rung r)
  ), free AS MATERIALIZED (
    SELECT j.tenant_id, j.id, t.nth, t.due_at
    FROM turn t JOIN public.job j ON j.tenant_id = t.tenant_id AND j.id = t.id
    WHERE j.state = 'queued'
      AND (j.published_at IS NULL OR j.published_at <= statement_timestamp() - patience)
    FOR UPDATE OF j SKIP LOCKED
  ), marked AS (
    UPDATE public.job j SET published_at = clock_timestamp()
    FROM free f WHERE j.tenant_id = f.tenant_id AND j.id = f.id
    RETURNING j.tenant_id, j.id, f.nth, f.due_at
  )
  SELECT m.tenant_id, m.id FROM marked m ORDER BY m.nth, m.due_at, m.id
$$;
-- ;;
-- Leases that ran out: their worker died.  A worker that still works holds the row's lock and is
-- skipped, whatever any clock says.
CREATE FUNCTION queue_sweep(allowed_deaths integer, ahead interval)
RETURNS TABLE (tenant_id uuid, id uuid, quarantined boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH dead AS MATERIALIZED (
    SELECT j.tenant_id, j.id FROM public.job j
    WHERE j.state = 'leased' AND j.lease_until < statement_timestamp() + ahead
    ORDER BY j.lease_until LIMIT 500
    FOR UPDATE SKIP LOCKED
  )
  UPDATE public.job j
  SET deaths = j.deaths + 1,
      state = CASE WHEN j.deaths + 1 > allowed_deaths THEN 'quarantined' ELSE 'queued' END,
      error = 'worker died', due_at = clock_timestamp(),
      published_at = NULL, lease_until = NULL, lease_by = NULL
  FROM dead d WHERE j.tenant_id = d.tenant_id AND j.id = d.id
  RETURNING j.tenant_id, j.id, j.state = 'quarantined'
$$;
-- ;;
CREATE FUNCTION queue_due_schedules(n integer, ahead interval)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT s.tenant_id, s.id FROM public.schedule s
  WHERE s.due_at <= statement_timestamp() + ahead ORDER BY s.due_at LIMIT n
$$;
-- ;;
REVOKE ALL ON FUNCTION queue_claim_events(integer), queue_due_jobs(integer, interval, interval),
  queue_sweep(integer, interval), queue_due_schedules(integer, interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION queue_claim_events(integer), queue_due_jobs(integer, interval, interval),
  queue_sweep(integer, interval), queue_due_schedules(integer, interval) TO huiyin_app;
-- ;;
ALTER FUNCTION queue_claim_events(integer) OWNER TO huiyin_queue;
-- ;;
ALTER FUNCTION queue_due_jobs(integer, interval, interval) OWNER TO huiyin_queue;
-- ;;
ALTER FUNCTION queue_sweep(integer, interval) OWNER TO huiyin_queue;
-- ;;
ALTER FUNCTION queue_due_schedules(integer, interval) OWNER TO huiyin_queue;
