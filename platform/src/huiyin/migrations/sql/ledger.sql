-- The only pen of the ledger.  The application may call it; it may touch no row itself, and the
-- role that owns it can neither log in nor see another firm than the transaction's own.
GRANT SELECT, INSERT, UPDATE ON ledger_head TO huiyin_ledger;
-- ;;
GRANT INSERT ON ledger_entry, ledger_salt TO huiyin_ledger;
-- ;;
GRANT SELECT, INSERT ON ledger_checkpoint TO huiyin_ledger;
-- ;;
CREATE POLICY ledger_keeps ON ledger_head TO huiyin_ledger
USING (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid));
-- ;;
CREATE POLICY ledger_appends ON ledger_entry FOR INSERT TO huiyin_ledger
WITH CHECK (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid));
-- ;;
CREATE POLICY ledger_salts ON ledger_salt FOR INSERT TO huiyin_ledger
WITH CHECK (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid));
-- ;;
CREATE POLICY ledger_marks ON ledger_checkpoint TO huiyin_ledger
USING (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid));
-- ;;
-- One entry: leaf = sha256(0x00, seq, at in microseconds, tenant, doc), hash = sha256('chain1', prev, leaf).
-- The head stays locked until commit.  The columns that find an entry again must say what the
-- document says, and every commitment must come with its salt.
CREATE FUNCTION ledger_append(
  t uuid, at timestamptz, kind text, object uuid, actor uuid, doc bytea, salts jsonb DEFAULT '{}'
) RETURNS TABLE (seq bigint, hash bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_variable
DECLARE
  head public.ledger_head;
  body jsonb := convert_from(doc, 'UTF8')::jsonb;
  range bytea[];
  below bigint;
  leaf bytea;
  node bytea;
BEGIN
  IF t IS NULL OR t IS DISTINCT FROM nullif(current_setting('huiyin.tenant', true), '')::uuid THEN
    RAISE insufficient_privilege USING MESSAGE = 'the ledger of another tenant';
  END IF;
  IF body->>'kind' IS DISTINCT FROM kind OR body->>'object' IS DISTINCT FROM object::text
     OR body->>'actor' IS DISTINCT FROM actor::text THEN
    RAISE check_violation USING MESSAGE = 'the document says something else than its columns';
  END IF;
  IF ARRAY(SELECT jsonb_object_keys(body->'commits') ORDER BY 1)
     IS DISTINCT FROM ARRAY(SELECT jsonb_object_keys(salts) ORDER BY 1) THEN
    RAISE check_violation USING MESSAGE = 'commitments and salts differ';
  END IF;

  SELECT h.* INTO head FROM public.ledger_head h WHERE h.tenant_id = t FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO public.ledger_head (tenant_id, id, seq, hash, frontier)
    VALUES (t, gen_random_uuid(), 0, decode(repeat('00', 32), 'hex'), '{}')
    ON CONFLICT (tenant_id) DO NOTHING;
    SELECT h.* INTO STRICT head FROM public.ledger_head h WHERE h.tenant_id = t FOR UPDATE;
  END IF;

  seq := head.seq + 1;
  leaf := sha256('\x00'::bytea || int8send(seq)
    || int8send((extract(epoch FROM at) * 1000000)::bigint) || uuid_send(t) || doc);
  hash := sha256('chain1'::bytea || head.hash || leaf);

  -- The compact Merkle range grows like a binary counter.
  range := head.frontier;
  below := head.seq;
  node := leaf;
  WHILE below & 1 = 1 LOOP
    node := sha256('\x01'::bytea || range[cardinality(range)] || node);
    range := trim_array(range, 1);
    below := below >> 1;
  END LOOP;

  INSERT INTO public.ledger_entry
    (tenant_id, id, seq, at, kind, object_id, actor_id, doc, leaf, prev, hash)
  VALUES (
    t,
    -- a version 7 id, so that the primary key grows at its end
    encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
      substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
      FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
    seq, at, kind, object, actor, doc, leaf, head.hash, hash
  );
  INSERT INTO public.ledger_salt (tenant_id, id, seq, field, salt, commitment)
  SELECT t, gen_random_uuid(), seq, s.key, decode(s.value, 'hex'),
         decode(body->'commits'->>s.key, 'hex')
  FROM jsonb_each_text(salts) s;
  UPDATE public.ledger_head h SET seq = ledger_append.seq, hash = ledger_append.hash,
    frontier = range || node WHERE h.tenant_id = t;
  RETURN NEXT;
END
$$;
-- ;;
-- The RFC 6962 root over everything so far, kept once per size.  No row while the ledger is empty.
CREATE FUNCTION ledger_checkpoint_now(t uuid, origin text)
RETURNS TABLE (size bigint, root bytea, created_at timestamptz, note text, fresh boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_variable
DECLARE
  head public.ledger_head;
BEGIN
  IF t IS NULL OR t IS DISTINCT FROM nullif(current_setting('huiyin.tenant', true), '')::uuid THEN
    RAISE insufficient_privilege USING MESSAGE = 'the ledger of another tenant';
  END IF;
  IF origin = '' OR origin ~ '[\s+]' THEN
    RAISE check_violation USING MESSAGE = 'an origin has neither spaces nor plus signs';
  END IF;
  SELECT h.* INTO head FROM public.ledger_head h WHERE h.tenant_id = t;
  IF NOT FOUND OR head.seq = 0 THEN
    RETURN;
  END IF;
  root := head.frontier[cardinality(head.frontier)];
  FOR i IN REVERSE cardinality(head.frontier) - 1 .. 1 LOOP
    root := sha256('\x01'::bytea || head.frontier[i] || root);
  END LOOP;
  INSERT INTO public.ledger_checkpoint AS c (tenant_id, id, size, root, note)
  VALUES (t, gen_random_uuid(), head.seq, root, concat(
    origin, '/', t, E'\n', head.seq, E'\n', encode(root, 'base64'), E'\n'))
  ON CONFLICT ON CONSTRAINT uq_ledger_checkpoint_tenant_id_size DO NOTHING;
  fresh := FOUND;
  RETURN QUERY SELECT c.size, c.root, c.created_at, c.note, fresh
  FROM public.ledger_checkpoint c WHERE c.tenant_id = t AND c.size = head.seq;
END
$$;
-- ;;
REVOKE ALL ON FUNCTION ledger_append(uuid, timestamptz, text, uuid, uuid, bytea, jsonb) FROM PUBLIC;
-- ;;
REVOKE ALL ON FUNCTION ledger_checkpoint_now(uuid, text) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ledger_append(uuid, timestamptz, text, uuid, uuid, bytea, jsonb) TO huiyin_app;
-- ;;
GRANT EXECUTE ON FUNCTION ledger_checkpoint_now(uuid, text) TO huiyin_app;
-- ;;
ALTER FUNCTION ledger_append(uuid, timestamptz, text, uuid, uuid, bytea, jsonb) OWNER TO huiyin_ledger;
-- ;;
ALTER FUNCTION ledger_checkpoint_now(uuid, text) OWNER TO huiyin_ledger;
