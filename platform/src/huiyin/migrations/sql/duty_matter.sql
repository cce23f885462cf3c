-- Whoever had a hand in a case that is handled with this one had a hand in the matter.
CREATE OR REPLACE FUNCTION duty_barred(t uuid, c uuid, person uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
  SELECT coalesce(
    (SELECT p.part FROM public.case_participation p
     WHERE p.tenant_id = t AND p.account_id = person
       AND p.case_id IN
         (SELECT m.id FROM public.case_file f JOIN public.case_file m ON m.tenant_id = f.tenant_id
            AND (m.id = coalesce(f.master_id, f.id) OR m.master_id = coalesce(f.master_id, f.id)
                 OR m.id = f.id)
          WHERE f.tenant_id = t AND f.id = c)
       AND p.part IN ('owner', 'investigator', 'assistant', 'drafter', 'delegate', 'subject')
       AND NOT (p.part = 'subject' AND p.until IS NOT NULL)
     ORDER BY p.part LIMIT 1),
    (SELECT CASE WHEN f.owner_id = person THEN 'owner' WHEN f.investigator_id = person
            THEN 'investigator' ELSE 'subject' END
     FROM public.case_file f
     WHERE f.tenant_id = t AND f.id = c
       AND (f.owner_id = person OR f.investigator_id = person OR person = ANY (f.walled))))
$$;
