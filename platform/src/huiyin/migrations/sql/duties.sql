-- Separation of duties, kept by the database too: whatever path a row takes to get here, nobody
-- judges what he or she had a hand in, and what was judged does not change afterwards.  All of
-- these run with the caller's own rights, behind the wall.
CREATE FUNCTION duty_barred(t uuid, c uuid, person uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
  SELECT coalesce(
    (SELECT p.part FROM public.case_participation p
     WHERE p.tenant_id = t AND p.case_id = c AND p.account_id = person
       AND p.part IN ('owner', 'investigator', 'assistant', 'drafter', 'delegate', 'subject')
     ORDER BY p.part LIMIT 1),
    (SELECT CASE WHEN f.owner_id = person THEN 'owner' WHEN f.investigator_id = person
            THEN 'investigator' ELSE 'subject' END
     FROM public.case_file f
     WHERE f.tenant_id = t AND f.id = c
       AND (f.owner_id = person OR f.investigator_id = person OR person = ANY (f.walled))))
$$;
-- ;;
CREATE FUNCTION duty_refuse(what text, who text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  RAISE integrity_constraint_violation USING
    MESSAGE = 'separation of duties: ' || what, DETAIL = who, CONSTRAINT = 'separation_of_duties';
END
$$;
-- ;;
CREATE FUNCTION approval_duties() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  plan public.remedy_plan;
  part text := public.duty_barred(NEW.tenant_id, NEW.case_id, NEW.by_id);
BEGIN
  SELECT p.* INTO plan FROM public.remedy_plan p
  WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.plan_id FOR UPDATE;
  IF part IS NOT NULL THEN
    PERFORM public.duty_refuse('the approver has a part in the case', part);
  END IF;
  IF plan.case_id IS DISTINCT FROM NEW.case_id THEN
    PERFORM public.duty_refuse('the plan belongs to another case', 'plan');
  END IF;
  IF plan.drafted_by = NEW.by_id THEN
    PERFORM public.duty_refuse('the approver drafted the plan', 'drafter');
  END IF;
  IF plan.state <> 'submitted' THEN
    PERFORM public.duty_refuse('the plan is not up for approval', plan.state);
  END IF;
  IF NEW.plan_hash = '' OR plan.hash IS DISTINCT FROM NEW.plan_hash THEN
    PERFORM public.duty_refuse('the approval is of another text of the plan', 'plan_hash');
  END IF;
  RETURN NEW;
END
$$;
-- ;;
CREATE TRIGGER approval_duties BEFORE INSERT OR UPDATE ON approval
FOR EACH ROW EXECUTE FUNCTION approval_duties();
-- ;;
-- A plan leaves the hands of its drafter once; from then on only its state moves on.
CREATE FUNCTION plan_duties() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  given integer;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state <> 'draft' AND (
    OLD.case_id, OLD.version, OLD.goal, OLD.measures, OLD.amount, OLD.basis, OLD.feasibility,
    OLD.precedent, OLD.wish, OLD.hash, OLD.approvers, OLD.drafted_by
  ) IS DISTINCT FROM (
    NEW.case_id, NEW.version, NEW.goal, NEW.measures, NEW.amount, NEW.basis, NEW.feasibility,
    NEW.precedent, NEW.wish, NEW.hash, NEW.approvers, NEW.drafted_by
  ) THEN
    PERFORM public.duty_refuse('a submitted plan does not change', 'plan');
  END IF;
  IF NEW.state = 'approved' AND (TG_OP = 'INSERT' OR OLD.state <> 'approved') THEN
    SELECT count(DISTINCT a.by_id) INTO given FROM public.approval a
    WHERE a.tenant_id = NEW.tenant_id AND a.plan_id = NEW.id AND a.decision = 'approved'
      AND a.plan_hash = NEW.hash;
    IF given < NEW.approvers THEN
      PERFORM public.duty_refuse('the plan lacks approvals', given || ' of ' || NEW.approvers);
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.state IN ('draft', 'submitted')
     AND OLD.state NOT IN ('draft', NEW.state) THEN
    PERFORM public.duty_refuse('a decided plan is not opened again', OLD.state);
  END IF;
  RETURN NEW;
END
$$;
-- ;;
CREATE TRIGGER plan_duties BEFORE INSERT OR UPDATE ON remedy_plan
FOR EACH ROW EXECUTE FUNCTION plan_duties();
-- ;;
-- The written answer is released by somebody who neither drafted it nor handled the case, and a
-- released letter says for ever what it said then.
CREATE FUNCTION letter_duties() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  part text;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.released_at IS NOT NULL AND (
    OLD.case_id, OLD.kind, OLD.number, OLD.language, OLD.document, OLD.fingerprint,
    OLD.released_by, OLD.released_at, OLD.pdf_key, OLD.pdf_sha256
  ) IS DISTINCT FROM (
    NEW.case_id, NEW.kind, NEW.number, NEW.language, NEW.document, NEW.fingerprint,
    NEW.released_by, NEW.released_at, NEW.pdf_key, NEW.pdf_sha256
  ) THEN
    PERFORM public.duty_refuse('a released letter does not change', 'letter');
  END IF;
  IF NEW.kind = 'answer' AND NEW.released_at IS NOT NULL
     AND (TG_OP = 'INSERT' OR OLD.released_at IS NULL) THEN
    part := public.duty_barred(NEW.tenant_id, NEW.case_id, NEW.released_by);
    IF NEW.released_by IS NULL THEN
      PERFORM public.duty_refuse('nobody released the letter', 'released_by');
    END IF;
    IF NEW.released_by = NEW.drafted_by THEN
      PERFORM public.duty_refuse('the letter is released by its drafter', 'drafter');
    END IF;
    IF part IS NOT NULL THEN
      PERFORM public.duty_refuse('the letter is released by somebody with a part in the case', part);
    END IF;
  END IF;
  RETURN NEW;
END
$$;
-- ;;
CREATE TRIGGER letter_duties BEFORE INSERT OR UPDATE ON letter
FOR EACH ROW EXECUTE FUNCTION letter_duties();
-- ;;
-- What was handed in stays what it was; its custody list only grows.
CREATE FUNCTION evidence_duties() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF (OLD.case_id, OLD.number, OLD.name, OLD.media_type, OLD.size, OLD.sha256, OLD.blob_key,
      OLD.source, OLD.uploaded_by, OLD.at)
     IS DISTINCT FROM
     (NEW.case_id, NEW.number, NEW.name, NEW.media_type, NEW.size, NEW.sha256, NEW.blob_key,
      NEW.source, NEW.uploaded_by, NEW.at) THEN
    PERFORM public.duty_refuse('evidence does not change', OLD.number);
  END IF;
  IF jsonb_array_length(NEW.custody) < jsonb_array_length(OLD.custody)
     OR EXISTS (
       SELECT FROM jsonb_array_elements(OLD.custody) WITH ORDINALITY AS line(was, nth)
       WHERE NEW.custody -> (nth - 1)::integer IS DISTINCT FROM was) THEN
    PERFORM public.duty_refuse('the custody list only grows', OLD.number);
  END IF;
  RETURN NEW;
END
$$;
-- ;;
CREATE TRIGGER evidence_duties BEFORE UPDATE ON evidence_file
FOR EACH ROW EXECUTE FUNCTION evidence_duties();
-- ;;
REVOKE ALL ON FUNCTION duty_barred(uuid, uuid, uuid), duty_refuse(text, text), approval_duties(),
  plan_duties(), letter_duties(), evidence_duties() FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION duty_barred(uuid, uuid, uuid), duty_refuse(text, text) TO huiyin_app;
