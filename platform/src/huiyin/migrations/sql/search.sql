-- Text operators are not leakproof, so under row security their indexes are not used.  This
-- function applies the tenant itself and is the only way the application reads case_text by
-- its words.  Persons walled from a case never find it.
GRANT SELECT ON case_text, case_file TO huiyin_search;
-- ;;
CREATE POLICY search_reads ON case_text FOR SELECT TO huiyin_search USING (true);
-- ;;
CREATE POLICY search_reads ON case_file FOR SELECT TO huiyin_search USING (true);
-- ;;
CREATE FUNCTION case_search(
  query tsquery, likes text[], sees_all boolean, before_at timestamptz, before_id uuid, n integer)
RETURNS TABLE (id uuid, received_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  firm uuid := nullif(current_setting('huiyin.tenant', true), '')::uuid;
  person uuid := nullif(current_setting('huiyin.actor', true), '')::uuid;
  few constant integer := 500;
  hits integer;
BEGIN
  IF firm IS NULL OR person IS NULL THEN RETURN; END IF;
  SELECT count(*) INTO hits FROM (
    SELECT 1 FROM public.case_text t
    WHERE t.tenant_id = firm AND t.bigrams @@ query LIMIT few) probe;
  IF hits < few THEN
    -- Rare words: take all matches by the index, newest first.
    RETURN QUERY
      SELECT t.id, t.received_at
      FROM public.case_text t JOIN public.case_file c ON c.tenant_id = t.tenant_id AND c.id = t.id
      WHERE t.tenant_id = firm AND t.bigrams @@ query AND t.words LIKE ALL (likes)
        AND NOT (person = ANY (c.walled)) AND (sees_all OR person = ANY (c.team))
        AND (before_at IS NULL OR (t.received_at, t.id) < (before_at, before_id))
      ORDER BY t.received_at DESC, t.id DESC LIMIT n;
  ELSE
    -- Common words: walk back in time and stop at the page's last row.
    RETURN QUERY
      SELECT t.id, t.received_at
      FROM public.case_text t JOIN public.case_file c ON c.tenant_id = t.tenant_id AND c.id = t.id
      WHERE t.tenant_id = firm AND t.words LIKE ALL (likes)
        AND NOT (person = ANY (c.walled)) AND (sees_all OR person = ANY (c.team))
        AND (before_at IS NULL OR (t.received_at, t.id) < (before_at, before_id))
      ORDER BY t.received_at DESC, t.id DESC LIMIT n;
  END IF;
END $$;
-- ;;
REVOKE ALL ON FUNCTION case_search(tsquery, text[], boolean, timestamptz, uuid, integer) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION case_search(tsquery, text[], boolean, timestamptz, uuid, integer) TO huiyin_app;
-- ;;
ALTER FUNCTION case_search(tsquery, text[], boolean, timestamptz, uuid, integer) OWNER TO huiyin_search;
