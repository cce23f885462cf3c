-- Whoever moves or resumes a clock and does not say when it next has something to be told, such as a
-- process of an older release, leaves that open: the next look finds out.
CREATE FUNCTION clock_look() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  NEW.look_at := NULL;
  NEW.look_by := CASE WHEN NEW.state = 'running' THEN '' END;
  RETURN NEW;
END $$;
-- ;;
REVOKE ALL ON FUNCTION clock_look() FROM PUBLIC;
-- ;;
CREATE TRIGGER look_is_open BEFORE UPDATE ON clock FOR EACH ROW
WHEN ((NEW.due_at IS DISTINCT FROM OLD.due_at OR NEW.state IS DISTINCT FROM OLD.state)
      AND NEW.look_at IS NOT DISTINCT FROM OLD.look_at
      AND NEW.look_by IS NOT DISTINCT FROM OLD.look_by)
EXECUTE FUNCTION clock_look();
