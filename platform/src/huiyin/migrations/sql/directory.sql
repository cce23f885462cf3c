-- Which firms a person belongs to: the only read across tenants that log-in needs.
-- The definer role sees memberships and nothing else; the caller must name the account that
-- the transaction already acts for.
GRANT SELECT ON membership, tenant TO huiyin_directory;
-- ;;
CREATE POLICY directory_reads ON membership FOR SELECT TO huiyin_directory USING (true);
-- ;;
CREATE FUNCTION directory_memberships(account uuid)
RETURNS TABLE (tenant_id uuid, slug text, name text, short_name text, mark text, roles text[], department text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT m.tenant_id, t.slug, t.name, t.short_name, t.mark, m.roles, m.department
  FROM public.membership m JOIN public.tenant t ON t.id = m.tenant_id
  WHERE m.account_id = account AND m.active AND t.state = 'active'
    AND account = nullif(current_setting('huiyin.actor', true), '')::uuid
  ORDER BY t.name
$$;
-- ;;
REVOKE ALL ON FUNCTION directory_memberships(uuid) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION directory_memberships(uuid) TO huiyin_app;
-- ;;
ALTER FUNCTION directory_memberships(uuid) OWNER TO huiyin_directory;
