-- The schema that migrations/ make, dumped by `go test ./models -run TestSchemaDump -update` for reading.


CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;

COMMENT ON EXTENSION btree_gin IS 'support for indexing common datatypes in GIN';

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

CREATE FUNCTION public.audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('hallpass.erasing', true) = current_setting('hallpass.district', true)
     AND current_setting('hallpass.erasing', true) <> '' AND current_user <> 'hallpass_app' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'audit_entries is append-only';
END $$;

CREATE FUNCTION public.check_merge() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT FROM users s WHERE s.district_id = NEW.district_id AND s.id = NEW.merged_into AND s.merged_into IS NOT NULL)
     OR EXISTS (SELECT FROM users l WHERE l.district_id = NEW.district_id AND l.merged_into = NEW.id) THEN
    RAISE EXCEPTION 'user % would be merged in a chain', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_chain';
  END IF;
  IF EXISTS (SELECT FROM role_grants g WHERE g.district_id = NEW.district_id AND g.user_id IN (NEW.id, NEW.merged_into)
             AND g.role IN ('student', 'contact') AND g.ended_at IS NULL) THEN
    RAISE EXCEPTION 'user % or % is a student or a contact', NEW.id, NEW.merged_into USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_role';
  END IF;
  IF EXISTS (
    WITH cluster AS (
      SELECT u.id FROM users u
       WHERE u.district_id = NEW.district_id AND (u.id = NEW.merged_into OR u.merged_into = NEW.merged_into)
    )
    SELECT FROM pair_decisions d JOIN cluster a ON a.id = d.lo JOIN cluster b ON b.id = d.hi
     WHERE d.district_id = NEW.district_id AND d.verdict = 'different' AND d.ended_at IS NULL) THEN
    RAISE EXCEPTION 'somebody said that two of the people to be merged are different' USING ERRCODE = 'check_violation', CONSTRAINT = 'never_merge_different';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.current_district() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('hallpass.district', true), '')::bigint $$;

CREATE FUNCTION public.note_accounts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, id, role, retired_at FROM removed EXCEPT SELECT district_id, user_id, id, role, retired_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, retired_at FROM added EXCEPT SELECT district_id, user_id, id, role, retired_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, id, role, retired_at FROM removed EXCEPT SELECT district_id, user_id, id, role, retired_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, retired_at FROM added EXCEPT SELECT district_id, user_id, id, role, retired_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, id, role, retired_at FROM removed EXCEPT SELECT district_id, user_id, id, role, retired_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, retired_at FROM added EXCEPT SELECT district_id, user_id, id, role, retired_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_api_keys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, id, key_hash, explains, revoked_at FROM removed EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM added) UNION ALL (SELECT district_id, id, key_hash, explains, revoked_at FROM added EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, id, key_hash, explains, revoked_at FROM removed EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM added) UNION ALL (SELECT district_id, id, key_hash, explains, revoked_at FROM added EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM ((SELECT district_id, id, key_hash, explains, revoked_at FROM removed EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM added) UNION ALL (SELECT district_id, id, key_hash, explains, revoked_at FROM added EXCEPT SELECT district_id, id, key_hash, explains, revoked_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_districts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added) UNION ALL (SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added) UNION ALL (SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM ((SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added) UNION ALL (SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM added EXCEPT SELECT district_id, clever_id, name, time_zone, combining, strategy, policy_version, school_year_end FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_identities() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, kind, value FROM removed EXCEPT SELECT district_id, user_id, kind, value FROM added) UNION ALL (SELECT district_id, user_id, kind, value FROM added EXCEPT SELECT district_id, user_id, kind, value FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, kind, value FROM removed EXCEPT SELECT district_id, user_id, kind, value FROM added) UNION ALL (SELECT district_id, user_id, kind, value FROM added EXCEPT SELECT district_id, user_id, kind, value FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, kind, value FROM removed EXCEPT SELECT district_id, user_id, kind, value FROM added) UNION ALL (SELECT district_id, user_id, kind, value FROM added EXCEPT SELECT district_id, user_id, kind, value FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_overrides() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM added EXCEPT SELECT district_id, user_id, id, permission, allow, place_kind, school_id, section_id, ends_at, end_role, ended_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_role_grant_schools() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM added) UNION ALL (SELECT district_id, user_id, grant_id, school_id, ended_at FROM added EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM added) UNION ALL (SELECT district_id, user_id, grant_id, school_id, ended_at FROM added EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM added) UNION ALL (SELECT district_id, user_id, grant_id, school_id, ended_at FROM added EXCEPT SELECT district_id, user_id, grant_id, school_id, ended_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_role_grants() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added) UNION ALL (SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM added EXCEPT SELECT district_id, user_id, id, role, source, labels, ends_at, ended_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_role_rules() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, role, label, permission, given FROM removed EXCEPT SELECT district_id, role, label, permission, given FROM added) UNION ALL (SELECT district_id, role, label, permission, given FROM added EXCEPT SELECT district_id, role, label, permission, given FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, role, label, permission, given FROM removed EXCEPT SELECT district_id, role, label, permission, given FROM added) UNION ALL (SELECT district_id, role, label, permission, given FROM added EXCEPT SELECT district_id, role, label, permission, given FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM ((SELECT district_id, role, label, permission, given FROM removed EXCEPT SELECT district_id, role, label, permission, given FROM added) UNION ALL (SELECT district_id, role, label, permission, given FROM added EXCEPT SELECT district_id, role, label, permission, given FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_schools() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, id, clever_id, name, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, name, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, id, clever_id, name, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, name, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0::bigint FROM ((SELECT district_id, id, clever_id, name, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, name, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, name, ended_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_schools_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE districts SET schools_version = nextval('schools_versions') WHERE district_id IN (SELECT district_id FROM touched);
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_section_teachers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, user_id, section_id FROM removed EXCEPT SELECT district_id, user_id, section_id FROM added) UNION ALL (SELECT district_id, user_id, section_id FROM added EXCEPT SELECT district_id, user_id, section_id FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, user_id, section_id FROM removed EXCEPT SELECT district_id, user_id, section_id FROM added) UNION ALL (SELECT district_id, user_id, section_id FROM added EXCEPT SELECT district_id, user_id, section_id FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', user_id::bigint FROM ((SELECT district_id, user_id, section_id FROM removed EXCEPT SELECT district_id, user_id, section_id FROM added) UNION ALL (SELECT district_id, user_id, section_id FROM added EXCEPT SELECT district_id, user_id, section_id FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_sections() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'section', id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'section', id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'section', id::bigint FROM ((SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added) UNION ALL (SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM added EXCEPT SELECT district_id, id, clever_id, school_id, name, period, ended_at FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.note_users() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (SELECT count(*) FROM added c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM added c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', id::bigint FROM added c;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF (SELECT count(*) FROM removed c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM removed c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', id::bigint FROM removed c;
    END IF;
  ELSE
    IF (SELECT count(*) FROM ((SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added) UNION ALL (SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed)) c) > 200 THEN
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'everything', 0 FROM ((SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added) UNION ALL (SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed)) c;
    ELSE
      INSERT INTO fact_changes (district_id, about, subject_id) SELECT DISTINCT c.district_id, 'user', id::bigint FROM ((SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added) UNION ALL (SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM added EXCEPT SELECT district_id, id, clever_id, first_name, middle_name, last_name, ended_at, merged_into FROM removed)) c;
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION public.settle_roster() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM gin_clean_pending_list('public.user_search_match'::regclass);
  ANALYZE public.schools, public.terms, public.users, public.identities, public.accounts, public.role_grants,
    public.role_grant_schools, public.contact_students, public.sections, public.section_teachers,
    public.section_students, public.user_search;
END $$;

CREATE FUNCTION public.wall(tables text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY tables LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_district ON %I USING (district_id = current_district()) WITH CHECK (district_id = current_district())', t);
  END LOOP;
END $$;

CREATE TABLE public.accounts (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_sign_in_at timestamp with time zone,
    retired_at timestamp with time zone,
    folded_into bigint,
    CONSTRAINT accounts_check CHECK ((folded_into <> id))
);

ALTER TABLE ONLY public.accounts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.accounts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.api_keys (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL,
    hint text NOT NULL,
    explains boolean DEFAULT true NOT NULL,
    created_by bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by bigint,
    CONSTRAINT api_keys_key_hash_check CHECK ((length(key_hash) = 32)),
    CONSTRAINT api_keys_name_check CHECK (((name <> ''::text) AND (length(name) <= 100)))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_entries (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_id bigint,
    actor text NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    action text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_entries_id_check CHECK ((id > 0))
);

ALTER TABLE ONLY public.audit_entries FORCE ROW LEVEL SECURITY;

CREATE TABLE public.brake_spent (
    district_id bigint NOT NULL,
    type text NOT NULL,
    spent integer NOT NULL
);

ALTER TABLE ONLY public.brake_spent FORCE ROW LEVEL SECURITY;

CREATE TABLE public.bulk_items (
    district_id bigint NOT NULL,
    bulk_id bigint NOT NULL,
    n integer NOT NULL,
    case_id bigint NOT NULL,
    fingerprint text NOT NULL,
    members bigint[] NOT NULL,
    keep_id bigint NOT NULL,
    plan bytea,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    merge_id bigint,
    CONSTRAINT bulk_items_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'left'::text, 'merged'::text, 'unmerged'::text, 'kept'::text])))
);

ALTER TABLE ONLY public.bulk_items FORCE ROW LEVEL SECURITY;

CREATE TABLE public.bulks (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    class text NOT NULL,
    seed bigint NOT NULL,
    sample jsonb NOT NULL,
    state text NOT NULL,
    most_wrong integer,
    made_by bigint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    why text DEFAULT ''::text NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    undone_by bigint,
    change_id bigint,
    undo_id bigint,
    beat_at timestamp with time zone NOT NULL,
    CONSTRAINT bulks_class_check CHECK ((class = ANY (ARRAY['A'::text, 'B'::text]))),
    CONSTRAINT bulks_state_check CHECK ((state = ANY (ARRAY['planning'::text, 'sampling'::text, 'ready'::text, 'refused'::text, 'dropped'::text, 'applying'::text, 'accepted'::text, 'undoing'::text, 'undone'::text])))
);

ALTER TABLE ONLY public.bulks FORCE ROW LEVEL SECURITY;

ALTER TABLE public.bulks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.bulks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.changes (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    token text NOT NULL,
    kind text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    before jsonb DEFAULT '{}'::jsonb NOT NULL,
    after jsonb DEFAULT '{}'::jsonb NOT NULL,
    plan bytea NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    made_by bigint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    audit_id bigint NOT NULL,
    undoes bigint,
    CONSTRAINT changes_id_check CHECK ((id > 0)),
    CONSTRAINT changes_token_check CHECK (((length(token) >= 16) AND (length(token) <= 64)))
);

ALTER TABLE ONLY public.changes FORCE ROW LEVEL SECURITY;

CREATE TABLE public.connections (
    district_id bigint NOT NULL,
    switch text NOT NULL,
    switched_at timestamp with time zone NOT NULL,
    left_at timestamp with time zone,
    refused_at timestamp with time zone,
    refused_text text DEFAULT ''::text NOT NULL,
    token bytea,
    token_key text DEFAULT ''::text NOT NULL,
    token_made_at timestamp with time zone,
    token_kept_at timestamp with time zone,
    CONSTRAINT connections_switch_check CHECK ((switch = ANY (ARRAY['waiting'::text, 'on'::text, 'paused'::text, 'off'::text])))
);

ALTER TABLE ONLY public.connections FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contact_students (
    district_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    student_clever_id text NOT NULL COLLATE pg_catalog."C",
    relationship text DEFAULT ''::text NOT NULL,
    kind text DEFAULT ''::text NOT NULL
);

ALTER TABLE ONLY public.contact_students FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cut_over_rows (
    district_id bigint NOT NULL,
    change_id bigint NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    was jsonb NOT NULL,
    CONSTRAINT cut_over_rows_table_name_check CHECK ((table_name = ANY (ARRAY['imported_accounts'::text, 'users'::text, 'user_search'::text, 'accounts'::text, 'identities'::text])))
);

ALTER TABLE ONLY public.cut_over_rows FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dedupe_keys (
    district_id bigint NOT NULL,
    hash bigint NOT NULL,
    user_id bigint NOT NULL
);

ALTER TABLE ONLY public.dedupe_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dedupe_models (
    district_id bigint NOT NULL,
    model jsonb NOT NULL,
    records integer NOT NULL,
    learned_at timestamp with time zone NOT NULL,
    wanted_at timestamp with time zone
);

ALTER TABLE ONLY public.dedupe_models FORCE ROW LEVEL SECURITY;

CREATE TABLE public.district_ids (
    district_id bigint NOT NULL,
    clever_id text NOT NULL,
    held_at timestamp with time zone,
    CONSTRAINT district_ids_clever_id_check CHECK ((clever_id <> ''::text))
);

ALTER TABLE public.district_ids ALTER COLUMN district_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.district_ids_district_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.districts (
    district_id bigint NOT NULL,
    clever_id text NOT NULL,
    name text NOT NULL,
    state text DEFAULT ''::text NOT NULL,
    time_zone text DEFAULT 'America/New_York'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    synced_at timestamp with time zone,
    combining text DEFAULT 'most_privileged'::text NOT NULL,
    strategy text DEFAULT 'consolidated'::text NOT NULL,
    policy_version bigint DEFAULT 0 NOT NULL,
    school_year_end text DEFAULT '06-30'::text NOT NULL,
    cut_over_at timestamp with time zone,
    cut_over_rest text DEFAULT 'keep'::text NOT NULL,
    bulk_wrong integer DEFAULT 20000 NOT NULL,
    brake_shares jsonb DEFAULT '{}'::jsonb NOT NULL,
    brake_people integer DEFAULT 25 NOT NULL,
    sync_hour smallint DEFAULT 2 NOT NULL,
    retention_days integer DEFAULT 60 NOT NULL,
    cut_over_change bigint,
    cut_over_done bigint,
    schools_version bigint NOT NULL,
    CONSTRAINT districts_brake_people_check CHECK ((brake_people >= 0)),
    CONSTRAINT districts_bulk_wrong_check CHECK (((bulk_wrong >= 1000) AND (bulk_wrong <= 200000))),
    CONSTRAINT districts_combining_check CHECK ((combining = ANY (ARRAY['most_privileged'::text, 'least_privileged'::text, 'view_in_use'::text]))),
    CONSTRAINT districts_cut_over_rest_check CHECK ((cut_over_rest = ANY (ARRAY['keep'::text, 'archive'::text]))),
    CONSTRAINT districts_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 3650))),
    CONSTRAINT districts_school_year_end_check CHECK ((school_year_end ~ '^[0-1][0-9]-[0-3][0-9]$'::text)),
    CONSTRAINT districts_strategy_check CHECK ((strategy = ANY (ARRAY['consolidated'::text, 'per_role'::text]))),
    CONSTRAINT districts_sync_hour_check CHECK (((sync_hour >= 0) AND (sync_hour <= 23)))
);

ALTER TABLE ONLY public.districts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.erasures (
    id bigint NOT NULL,
    clever_id text NOT NULL,
    erased_at timestamp with time zone,
    certificate jsonb NOT NULL
);

ALTER TABLE public.erasures ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erasures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.event_cursors (
    district_id bigint NOT NULL,
    version text NOT NULL,
    event_id text NOT NULL,
    saved_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.event_cursors FORCE ROW LEVEL SECURITY;

CREATE TABLE public.fact_changes (
    district_id bigint NOT NULL,
    made_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    id bigint NOT NULL,
    about text NOT NULL,
    subject_id bigint NOT NULL,
    CONSTRAINT fact_changes_about_check CHECK ((about = ANY (ARRAY['user'::text, 'section'::text, 'everything'::text])))
);

ALTER TABLE ONLY public.fact_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.fact_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fact_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.head_counts (
    district_id bigint NOT NULL,
    school_id bigint NOT NULL,
    role text NOT NULL,
    people integer NOT NULL,
    several integer NOT NULL
);

ALTER TABLE ONLY public.head_counts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.held_approvals (
    district_id bigint NOT NULL,
    run_id bigint NOT NULL,
    list bytea NOT NULL,
    approved_by bigint NOT NULL,
    approved_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.held_approvals FORCE ROW LEVEL SECURITY;

CREATE TABLE public.held_effects (
    district_id bigint NOT NULL,
    run_id bigint NOT NULL,
    user_id bigint NOT NULL,
    permission text NOT NULL,
    school_id bigint DEFAULT 0 NOT NULL,
    gained boolean NOT NULL
);

ALTER TABLE ONLY public.held_effects FORCE ROW LEVEL SECURITY;

CREATE TABLE public.held_records (
    district_id bigint NOT NULL,
    run_id bigint NOT NULL,
    type text NOT NULL,
    record_id bigint NOT NULL,
    cause text DEFAULT ''::text NOT NULL,
    roles text[] DEFAULT '{}'::text[] NOT NULL,
    school_id bigint,
    sort_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    record jsonb,
    returned_at timestamp with time zone,
    release_id bigint,
    CONSTRAINT held_records_cause_check CHECK ((cause = ANY (ARRAY[''::text, 'all_new'::text, 'type_gone'::text, 'school_gone'::text, 'single'::text, 'newcomer'::text]))),
    CONSTRAINT held_records_type_check CHECK ((type = ANY (ARRAY['schools'::text, 'terms'::text, 'users'::text, 'sections'::text, 'roles'::text, 'teaching'::text])))
);

ALTER TABLE ONLY public.held_records FORCE ROW LEVEL SECURITY;

CREATE TABLE public.identities (
    district_id bigint NOT NULL,
    kind text NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    user_id bigint NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT identities_kind_check CHECK ((kind = ANY (ARRAY['clever'::text, 'legacy'::text, 'account'::text])))
);

ALTER TABLE ONLY public.identities FORCE ROW LEVEL SECURITY;

CREATE TABLE public.import_errors (
    district_id bigint NOT NULL,
    import_id bigint NOT NULL,
    line bigint NOT NULL,
    col integer NOT NULL,
    field text DEFAULT ''::text NOT NULL,
    code text NOT NULL
);

ALTER TABLE ONLY public.import_errors FORCE ROW LEVEL SECURITY;

CREATE TABLE public.import_rows (
    district_id bigint NOT NULL,
    import_id bigint NOT NULL,
    n bigint NOT NULL,
    line bigint NOT NULL,
    col integer NOT NULL,
    app_id text NOT NULL COLLATE pg_catalog."C",
    role text DEFAULT ''::text NOT NULL,
    legacy_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    clever_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    first_name text DEFAULT ''::text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    sis_id text DEFAULT ''::text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    name_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    email_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    doc text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    schools text[] DEFAULT '{}'::text[] NOT NULL,
    last_used_at timestamp with time zone,
    digest bytea DEFAULT '\x'::bytea NOT NULL
);

ALTER TABLE ONLY public.import_rows FORCE ROW LEVEL SECURITY;

CREATE TABLE public.import_undo (
    district_id bigint NOT NULL,
    import_id bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    was jsonb NOT NULL
);

ALTER TABLE ONLY public.import_undo FORCE ROW LEVEL SECURITY;

CREATE TABLE public.imported_accounts (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    app_id text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL,
    legacy_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    first_name text DEFAULT ''::text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    sis_id text DEFAULT ''::text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    schools text[] DEFAULT '{}'::text[] NOT NULL,
    school_ids bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    last_used_at timestamp with time zone,
    state text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    user_id bigint,
    account_id bigint,
    import_id bigint NOT NULL,
    digest bytea NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT imported_accounts_app_id_check CHECK (((app_id <> ''::text) AND (length(app_id) <= 200))),
    CONSTRAINT imported_accounts_state_check CHECK ((state = ANY (ARRAY['linked'::text, 'ambiguous'::text, 'unmatched'::text, 'archived'::text])))
);

ALTER TABLE ONLY public.imported_accounts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.imported_accounts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.imported_accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.imports (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text DEFAULT ''::text NOT NULL,
    file_name text NOT NULL,
    form text DEFAULT ''::text NOT NULL,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    state text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    notices text[] DEFAULT '{}'::text[] NOT NULL,
    bytes_all bigint DEFAULT 0 NOT NULL,
    bytes_read bigint DEFAULT 0 NOT NULL,
    rows_read bigint DEFAULT 0 NOT NULL,
    rows_wrong bigint DEFAULT 0 NOT NULL,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    token text DEFAULT ''::text NOT NULL,
    plan bytea DEFAULT '\x'::bytea NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    change_id bigint,
    undo_id bigint,
    started_by bigint,
    started_at timestamp with time zone NOT NULL,
    beat_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT imports_kind_check CHECK ((kind = ANY (ARRAY[''::text, 'accounts'::text, 'migration'::text]))),
    CONSTRAINT imports_state_check CHECK ((state = ANY (ARRAY['reading'::text, 'ready'::text, 'applying'::text, 'applied'::text, 'undoing'::text, 'undone'::text, 'dropped'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.imports FORCE ROW LEVEL SECURITY;

ALTER TABLE public.imports ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.imports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.merge_members (
    district_id bigint NOT NULL,
    merge_id bigint NOT NULL,
    user_id bigint NOT NULL
);

ALTER TABLE ONLY public.merge_members FORCE ROW LEVEL SECURITY;

CREATE TABLE public.merge_rows (
    district_id bigint NOT NULL,
    merge_id bigint NOT NULL,
    seq integer NOT NULL,
    table_name text NOT NULL,
    key jsonb NOT NULL,
    op text NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT merge_rows_op_check CHECK ((op = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text])))
);

ALTER TABLE ONLY public.merge_rows FORCE ROW LEVEL SECURITY;

CREATE TABLE public.merges (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    state text NOT NULL,
    survivor_id bigint NOT NULL,
    class text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    choices jsonb DEFAULT '{}'::jsonb NOT NULL,
    plan bytea NOT NULL,
    bulk bigint,
    proposed_by bigint NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    merged_by bigint,
    merged_at timestamp with time zone,
    before_sum bytea,
    after_sum bytea,
    change_id bigint,
    unmerged_by bigint,
    unmerged_at timestamp with time zone,
    unmerged_sum bytea,
    differs jsonb,
    CONSTRAINT merges_class_check CHECK ((class = ANY (ARRAY[''::text, 'A'::text, 'B'::text, 'C'::text]))),
    CONSTRAINT merges_id_check CHECK ((id > 0)),
    CONSTRAINT merges_reason_check CHECK ((length(reason) <= 1000)),
    CONSTRAINT merges_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'refused'::text, 'merged'::text, 'unmerged'::text])))
);

ALTER TABLE ONLY public.merges FORCE ROW LEVEL SECURITY;

CREATE TABLE public.migrated_ids (
    district_id bigint NOT NULL,
    legacy_id text NOT NULL COLLATE pg_catalog."C",
    clever_id text NOT NULL COLLATE pg_catalog."C",
    import_id bigint NOT NULL
);

ALTER TABLE ONLY public.migrated_ids FORCE ROW LEVEL SECURITY;

CREATE TABLE public.overrides (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    permission text NOT NULL,
    allow boolean NOT NULL,
    place_kind text NOT NULL,
    school_id bigint,
    section_id bigint,
    reason text NOT NULL,
    note text NOT NULL,
    end_kind text NOT NULL,
    ends_at timestamp with time zone,
    end_term_id bigint,
    end_role text,
    locked boolean DEFAULT false NOT NULL,
    created_by bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by bigint,
    CONSTRAINT overrides_check CHECK (((school_id IS NOT NULL) = (place_kind <> 'district'::text))),
    CONSTRAINT overrides_check1 CHECK (((section_id IS NOT NULL) = (place_kind = 'section'::text))),
    CONSTRAINT overrides_check2 CHECK (((ends_at IS NOT NULL) = (end_kind = ANY (ARRAY['date'::text, 'term'::text, 'school_year'::text])))),
    CONSTRAINT overrides_check3 CHECK (((end_term_id IS NOT NULL) = (end_kind = 'term'::text))),
    CONSTRAINT overrides_check4 CHECK (((end_role IS NOT NULL) = (end_kind = 'role'::text))),
    CONSTRAINT overrides_end_kind_check CHECK ((end_kind = ANY (ARRAY['date'::text, 'term'::text, 'school_year'::text, 'role'::text, 'none'::text]))),
    CONSTRAINT overrides_note_check CHECK (((note <> ''::text) AND (length(note) <= 1000))),
    CONSTRAINT overrides_place_kind_check CHECK ((place_kind = ANY (ARRAY['section'::text, 'school'::text, 'district'::text]))),
    CONSTRAINT overrides_reason_check CHECK ((reason = ANY (ARRAY['covering'::text, 'co_teaching'::text, 'duty'::text, 'investigation'::text, 'request'::text, 'other'::text])))
);

ALTER TABLE ONLY public.overrides FORCE ROW LEVEL SECURITY;

ALTER TABLE public.overrides ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.overrides_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pair_decisions (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    lo bigint NOT NULL,
    hi bigint NOT NULL,
    verdict text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    class text DEFAULT ''::text NOT NULL,
    tenths integer DEFAULT 0 NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    decided_by bigint,
    decided_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by bigint,
    CONSTRAINT pair_decisions_check CHECK ((lo < hi)),
    CONSTRAINT pair_decisions_class_check CHECK ((class = ANY (ARRAY[''::text, 'A'::text, 'B'::text, 'C'::text]))),
    CONSTRAINT pair_decisions_reason_check CHECK ((length(reason) <= 1000)),
    CONSTRAINT pair_decisions_verdict_check CHECK ((verdict = ANY (ARRAY['same'::text, 'different'::text, 'unsure'::text])))
);

ALTER TABLE ONLY public.pair_decisions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.pair_decisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pair_decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.policy_versions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.role_grant_schools (
    district_id bigint NOT NULL,
    grant_id bigint NOT NULL,
    school_id bigint NOT NULL,
    user_id bigint NOT NULL,
    role text NOT NULL,
    is_primary boolean NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    since timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.role_grant_schools FORCE ROW LEVEL SECURITY;

CREATE TABLE public.role_grants (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    role text NOT NULL,
    source text NOT NULL,
    legacy_id text DEFAULT ''::text NOT NULL,
    sis_id text DEFAULT ''::text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    sis_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    number_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    title text DEFAULT ''::text NOT NULL,
    grade text DEFAULT ''::text NOT NULL,
    labels text[] DEFAULT '{}'::text[] NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    since timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    given_by bigint,
    reason text DEFAULT ''::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    ends_at timestamp with time zone,
    record_id bigint NOT NULL,
    CONSTRAINT role_grants_source_check CHECK ((source = ANY (ARRAY['clever'::text, 'manual'::text])))
);

ALTER TABLE ONLY public.role_grants FORCE ROW LEVEL SECURITY;

ALTER TABLE public.role_grants ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.role_grants_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.role_rules (
    district_id bigint NOT NULL,
    role text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    permission text NOT NULL,
    given boolean NOT NULL,
    CONSTRAINT role_rules_check CHECK (((label = ''::text) OR (role = 'staff'::text))),
    CONSTRAINT role_rules_role_check CHECK ((role = ANY (ARRAY['teacher'::text, 'staff'::text, 'district_admin'::text])))
);

ALTER TABLE ONLY public.role_rules FORCE ROW LEVEL SECURITY;

CREATE TABLE public.schools (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    clever_id text NOT NULL,
    listed boolean NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    sis_id text DEFAULT ''::text NOT NULL,
    school_number text DEFAULT ''::text NOT NULL,
    low_grade text DEFAULT ''::text NOT NULL,
    high_grade text DEFAULT ''::text NOT NULL,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.schools FORCE ROW LEVEL SECURITY;

ALTER TABLE public.schools ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.schools_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.schools_versions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.schools_versions OWNED BY public.districts.schools_version;

CREATE TABLE public.section_strangers (
    district_id bigint NOT NULL,
    section_id bigint NOT NULL,
    kind text NOT NULL,
    clever_id text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT section_strangers_kind_check CHECK ((kind = ANY (ARRAY['primary'::text, 'teacher'::text, 'student'::text, 'term'::text])))
);

ALTER TABLE ONLY public.section_strangers FORCE ROW LEVEL SECURITY;

CREATE TABLE public.section_students (
    district_id bigint NOT NULL,
    section_id bigint NOT NULL,
    user_id bigint NOT NULL
);

ALTER TABLE ONLY public.section_students FORCE ROW LEVEL SECURITY;

CREATE TABLE public.section_teachers (
    district_id bigint NOT NULL,
    section_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_primary boolean NOT NULL
);

ALTER TABLE ONLY public.section_teachers FORCE ROW LEVEL SECURITY;

CREATE TABLE public.sections (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    clever_id text NOT NULL,
    school_id bigint NOT NULL,
    term_id bigint,
    name text DEFAULT ''::text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    sis_id text DEFAULT ''::text NOT NULL,
    section_number text DEFAULT ''::text NOT NULL,
    period text DEFAULT ''::text NOT NULL,
    grade text DEFAULT ''::text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    students integer DEFAULT 0 NOT NULL,
    teachers_not_shared integer DEFAULT 0 NOT NULL,
    students_not_shared integer DEFAULT 0 NOT NULL,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.sections FORCE ROW LEVEL SECURITY;

ALTER TABLE public.sections ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sections_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sessions (
    district_id bigint NOT NULL,
    token_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT sessions_token_hash_check CHECK ((length(token_hash) = 32))
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.suggestion_members (
    district_id bigint NOT NULL,
    suggestion_id bigint NOT NULL,
    user_id bigint NOT NULL
);

ALTER TABLE ONLY public.suggestion_members FORCE ROW LEVEL SECURITY;

CREATE TABLE public.suggestions (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text DEFAULT 'merge'::text NOT NULL,
    class text NOT NULL,
    fingerprint text NOT NULL,
    keep_id bigint NOT NULL,
    tenths integer NOT NULL,
    chance integer NOT NULL,
    risk smallint NOT NULL,
    bulk boolean NOT NULL,
    unsure boolean DEFAULT false NOT NULL,
    returned boolean DEFAULT false NOT NULL,
    school_ids bigint[] NOT NULL,
    evidence jsonb NOT NULL,
    taken_by bigint,
    taken_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT suggestions_class_check CHECK ((class = ANY (ARRAY['A'::text, 'B'::text, 'C'::text]))),
    CONSTRAINT suggestions_kind_check CHECK ((kind = ANY (ARRAY['merge'::text, 'split'::text])))
);

ALTER TABLE ONLY public.suggestions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.suggestions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.suggestions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sync_changes (
    district_id bigint NOT NULL,
    run_id bigint NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    school_id bigint,
    before text DEFAULT ''::text NOT NULL,
    after text DEFAULT ''::text NOT NULL,
    CONSTRAINT sync_changes_kind_check CHECK ((kind = ANY (ARRAY['came'::text, 'returned'::text, 'left'::text, 'role_gained'::text, 'role_lost'::text, 'school_gained'::text, 'school_lost'::text, 'name'::text, 'email'::text, 'labels'::text])))
);

ALTER TABLE ONLY public.sync_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.sync_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sync_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sync_runs (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    requested_by bigint,
    requested_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    beat_at timestamp with time zone,
    finished_at timestamp with time zone,
    progress jsonb DEFAULT '[]'::jsonb NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    error_type text DEFAULT ''::text NOT NULL,
    error_page integer DEFAULT 0 NOT NULL,
    error_next text DEFAULT ''::text NOT NULL,
    cause text DEFAULT ''::text NOT NULL,
    holds bigint,
    brake jsonb DEFAULT '{}'::jsonb NOT NULL,
    first_sync boolean DEFAULT false NOT NULL,
    marks jsonb DEFAULT '{}'::jsonb NOT NULL,
    decided_by bigint,
    decided_at timestamp with time zone,
    error_said text DEFAULT ''::text NOT NULL,
    CONSTRAINT sync_runs_cause_check CHECK ((cause = ANY (ARRAY[''::text, 'nightly'::text, 'gap'::text, 'version'::text, 'cursor'::text, 'brake'::text, 'held'::text]))),
    CONSTRAINT sync_runs_check CHECK (((holds IS NOT NULL) = (kind = 'release'::text))),
    CONSTRAINT sync_runs_kind_check CHECK ((kind = ANY (ARRAY['full'::text, 'events'::text, 'release'::text]))),
    CONSTRAINT sync_runs_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'running'::text, 'done'::text, 'failed'::text, 'held'::text, 'released'::text, 'discarded'::text, 'superseded'::text])))
);

ALTER TABLE ONLY public.sync_runs FORCE ROW LEVEL SECURITY;

ALTER TABLE public.sync_runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sync_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.terms (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    clever_id text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    start_date date,
    end_date date,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.terms FORCE ROW LEVEL SECURITY;

ALTER TABLE public.terms ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.terms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.user_preferences (
    district_id bigint NOT NULL,
    user_id bigint NOT NULL,
    default_view text DEFAULT ''::text NOT NULL
);

ALTER TABLE ONLY public.user_preferences FORCE ROW LEVEL SECURITY;

CREATE TABLE public.user_search (
    district_id bigint NOT NULL,
    user_id bigint NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    current boolean NOT NULL,
    doc text NOT NULL COLLATE pg_catalog."C",
    school_ids bigint[] NOT NULL
);

CREATE TABLE public.users (
    district_id bigint NOT NULL,
    id bigint NOT NULL,
    clever_id text COLLATE pg_catalog."C",
    first_name text DEFAULT ''::text NOT NULL,
    middle_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    name_key text NOT NULL COLLATE pg_catalog."C",
    email_key text NOT NULL COLLATE pg_catalog."C",
    role_count smallint DEFAULT 0 NOT NULL,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    merged_into bigint,
    CONSTRAINT users_check CHECK ((merged_into <> id))
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.districts ALTER COLUMN schools_version SET DEFAULT nextval('public.schools_versions'::regclass);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_district_id_user_id_role_key UNIQUE (district_id, user_id, role);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_district_id_key_hash_key UNIQUE (district_id, key_hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.brake_spent
    ADD CONSTRAINT brake_spent_pkey PRIMARY KEY (district_id, type);

ALTER TABLE ONLY public.bulk_items
    ADD CONSTRAINT bulk_items_pkey PRIMARY KEY (district_id, bulk_id, n);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_token_key UNIQUE (district_id, token);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_undoes_key UNIQUE (district_id, undoes);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (district_id);

ALTER TABLE ONLY public.contact_students
    ADD CONSTRAINT contact_students_pkey PRIMARY KEY (district_id, contact_id, student_clever_id);

ALTER TABLE ONLY public.cut_over_rows
    ADD CONSTRAINT cut_over_rows_pkey PRIMARY KEY (district_id, change_id, table_name, key);

ALTER TABLE ONLY public.dedupe_keys
    ADD CONSTRAINT dedupe_keys_pkey PRIMARY KEY (district_id, hash, user_id);

ALTER TABLE ONLY public.dedupe_models
    ADD CONSTRAINT dedupe_models_pkey PRIMARY KEY (district_id);

ALTER TABLE ONLY public.district_ids
    ADD CONSTRAINT district_ids_clever_id_key UNIQUE (clever_id);

ALTER TABLE ONLY public.district_ids
    ADD CONSTRAINT district_ids_pkey PRIMARY KEY (district_id);

ALTER TABLE ONLY public.districts
    ADD CONSTRAINT districts_clever_id_key UNIQUE (clever_id);

ALTER TABLE ONLY public.districts
    ADD CONSTRAINT districts_pkey PRIMARY KEY (district_id);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event_cursors
    ADD CONSTRAINT event_cursors_pkey PRIMARY KEY (district_id, version);

ALTER TABLE ONLY public.fact_changes
    ADD CONSTRAINT fact_changes_pkey PRIMARY KEY (district_id, made_in, id);

ALTER TABLE ONLY public.head_counts
    ADD CONSTRAINT head_counts_pkey PRIMARY KEY (district_id, school_id, role);

ALTER TABLE ONLY public.held_approvals
    ADD CONSTRAINT held_approvals_pkey PRIMARY KEY (district_id, run_id);

ALTER TABLE ONLY public.held_effects
    ADD CONSTRAINT held_effects_pkey PRIMARY KEY (district_id, run_id, user_id, permission, school_id);

ALTER TABLE ONLY public.held_records
    ADD CONSTRAINT held_records_pkey PRIMARY KEY (district_id, run_id, type, record_id);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (district_id, kind, value);

ALTER TABLE ONLY public.import_errors
    ADD CONSTRAINT import_errors_pkey PRIMARY KEY (district_id, import_id, line, col, field, code);

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_pkey PRIMARY KEY (district_id, import_id, n);

ALTER TABLE ONLY public.import_undo
    ADD CONSTRAINT import_undo_pkey PRIMARY KEY (district_id, import_id, key);

ALTER TABLE ONLY public.imported_accounts
    ADD CONSTRAINT imported_accounts_district_id_app_id_key UNIQUE (district_id, app_id);

ALTER TABLE ONLY public.imported_accounts
    ADD CONSTRAINT imported_accounts_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.merge_members
    ADD CONSTRAINT merge_members_pkey PRIMARY KEY (district_id, merge_id, user_id);

ALTER TABLE ONLY public.merge_rows
    ADD CONSTRAINT merge_rows_pkey PRIMARY KEY (district_id, merge_id, seq);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.migrated_ids
    ADD CONSTRAINT migrated_ids_pkey PRIMARY KEY (district_id, legacy_id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.pair_decisions
    ADD CONSTRAINT pair_decisions_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.role_grant_schools
    ADD CONSTRAINT role_grant_schools_pkey PRIMARY KEY (district_id, grant_id, school_id);

ALTER TABLE ONLY public.role_grants
    ADD CONSTRAINT role_grants_district_id_user_id_role_source_record_id_key UNIQUE (district_id, user_id, role, source, record_id);

ALTER TABLE ONLY public.role_grants
    ADD CONSTRAINT role_grants_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.role_rules
    ADD CONSTRAINT role_rules_pkey PRIMARY KEY (district_id, role, label, permission);

ALTER TABLE ONLY public.schools
    ADD CONSTRAINT schools_district_id_clever_id_key UNIQUE (district_id, clever_id);

ALTER TABLE ONLY public.schools
    ADD CONSTRAINT schools_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.section_strangers
    ADD CONSTRAINT section_strangers_pkey PRIMARY KEY (district_id, section_id, kind, clever_id);

ALTER TABLE ONLY public.section_students
    ADD CONSTRAINT section_students_pkey PRIMARY KEY (district_id, section_id, user_id);

ALTER TABLE ONLY public.section_teachers
    ADD CONSTRAINT section_teachers_pkey PRIMARY KEY (district_id, section_id, user_id);

ALTER TABLE ONLY public.sections
    ADD CONSTRAINT sections_district_id_clever_id_key UNIQUE (district_id, clever_id);

ALTER TABLE ONLY public.sections
    ADD CONSTRAINT sections_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (district_id, token_hash);

ALTER TABLE ONLY public.suggestion_members
    ADD CONSTRAINT suggestion_members_pkey PRIMARY KEY (district_id, suggestion_id, user_id);

ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_district_id_fingerprint_key UNIQUE (district_id, fingerprint);

ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.sync_changes
    ADD CONSTRAINT sync_changes_pkey PRIMARY KEY (district_id, run_id, id);

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_district_id_clever_id_key UNIQUE (district_id, clever_id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (district_id, id);

ALTER TABLE ONLY public.user_preferences
    ADD CONSTRAINT user_preferences_pkey PRIMARY KEY (district_id, user_id);

ALTER TABLE ONLY public.user_search
    ADD CONSTRAINT user_search_pkey PRIMARY KEY (district_id, user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_district_id_clever_id_key UNIQUE (district_id, clever_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (district_id, id);

CREATE INDEX accounts_folded ON public.accounts USING btree (district_id, folded_into) WHERE (folded_into IS NOT NULL);

CREATE INDEX audit_entries_by_action ON public.audit_entries USING btree (district_id, action, id);

CREATE INDEX audit_entries_by_actor ON public.audit_entries USING btree (district_id, actor_id, id);

CREATE INDEX audit_entries_by_subject ON public.audit_entries USING btree (district_id, subject, id);

CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (district_id, at);

CREATE INDEX audit_entries_by_view ON public.audit_entries USING btree (district_id, view, id);

CREATE INDEX changes_by_subject ON public.changes USING btree (district_id, subject, id);

CREATE INDEX contact_students_by_student ON public.contact_students USING btree (district_id, student_clever_id);

CREATE INDEX dedupe_keys_by_user ON public.dedupe_keys USING btree (district_id, user_id);

CREATE INDEX held_effects_by_permission ON public.held_effects USING btree (district_id, run_id, permission, school_id);

CREATE INDEX held_records_by_name ON public.held_records USING btree (district_id, run_id, sort_key, type, record_id);

CREATE INDEX held_records_by_release ON public.held_records USING btree (district_id, release_id) WHERE (release_id IS NOT NULL);

CREATE INDEX identities_by_user ON public.identities USING btree (district_id, user_id);

CREATE INDEX imported_accounts_by_import ON public.imported_accounts USING btree (district_id, import_id);

CREATE INDEX imported_accounts_by_legacy ON public.imported_accounts USING btree (district_id, legacy_id) WHERE (legacy_id <> ''::text);

CREATE INDEX imported_accounts_by_state ON public.imported_accounts USING btree (district_id, state, role, name_key, id);

CREATE INDEX imported_accounts_by_user ON public.imported_accounts USING btree (district_id, user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX merge_members_by_user ON public.merge_members USING btree (district_id, user_id);

CREATE INDEX merges_by_bulk ON public.merges USING btree (district_id, bulk) WHERE (bulk IS NOT NULL);

CREATE INDEX merges_by_survivor ON public.merges USING btree (district_id, survivor_id);

CREATE INDEX migrated_ids_by_clever_id ON public.migrated_ids USING btree (district_id, clever_id);

CREATE INDEX migrated_ids_by_import ON public.migrated_ids USING btree (district_id, import_id);

CREATE INDEX overrides_by_user ON public.overrides USING btree (district_id, user_id);

CREATE INDEX overrides_current ON public.overrides USING btree (district_id, permission, place_kind, school_id, section_id) WHERE (ended_at IS NULL);

CREATE INDEX overrides_ending ON public.overrides USING btree (district_id, ends_at) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX overrides_one_current ON public.overrides USING btree (district_id, user_id, permission, place_kind, COALESCE(school_id, (0)::bigint), COALESCE(section_id, (0)::bigint), allow) WHERE (ended_at IS NULL);

CREATE INDEX pair_decisions_by_hi ON public.pair_decisions USING btree (district_id, hi) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX pair_decisions_live ON public.pair_decisions USING btree (district_id, lo, hi) WHERE (ended_at IS NULL);

CREATE INDEX role_grant_schools_by_role ON public.role_grant_schools USING btree (district_id, school_id, role, name_key, user_id) WHERE (ended_at IS NULL);

CREATE INDEX role_grant_schools_by_school ON public.role_grant_schools USING btree (district_id, school_id, name_key, user_id) WHERE (ended_at IS NULL);

CREATE INDEX role_grant_schools_by_user ON public.role_grant_schools USING btree (district_id, user_id);

CREATE INDEX role_grants_by_number ON public.role_grants USING btree (district_id, number_key) WHERE (number_key <> ''::text);

CREATE INDEX role_grants_by_sis ON public.role_grants USING btree (district_id, sis_key) WHERE (sis_key <> ''::text);

CREATE INDEX role_grants_current_by_role ON public.role_grants USING btree (district_id, role, name_key, user_id) WHERE (ended_at IS NULL);

CREATE INDEX role_grants_manual ON public.role_grants USING btree (district_id, id) WHERE (source = 'manual'::text);

CREATE INDEX schools_by_name ON public.schools USING btree (district_id, name_key, id);

CREATE INDEX section_strangers_by_clever_id ON public.section_strangers USING btree (district_id, clever_id);

CREATE INDEX section_students_by_user ON public.section_students USING btree (district_id, user_id, section_id);

CREATE INDEX section_teachers_by_user ON public.section_teachers USING btree (district_id, user_id, section_id);

CREATE INDEX sections_current_by_school ON public.sections USING btree (district_id, school_id, name_key, id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_by_end ON public.sessions USING btree (district_id, expires_at);

CREATE INDEX sessions_by_user ON public.sessions USING btree (district_id, user_id);

CREATE INDEX suggestion_members_by_user ON public.suggestion_members USING btree (district_id, user_id);

CREATE INDEX suggestions_by_list ON public.suggestions USING btree (district_id, kind, class, unsure);

CREATE INDEX suggestions_queue ON public.suggestions USING btree (district_id, class, risk DESC, tenths DESC, id);

CREATE INDEX sync_changes_by_kind ON public.sync_changes USING btree (district_id, run_id, kind, id);

CREATE INDEX sync_runs_decided ON public.sync_runs USING btree (district_id, id) WHERE (state = ANY (ARRAY['released'::text, 'discarded'::text, 'superseded'::text]));

CREATE UNIQUE INDEX sync_runs_one_held ON public.sync_runs USING btree (district_id) WHERE (state = 'held'::text);

CREATE UNIQUE INDEX sync_runs_one_open ON public.sync_runs USING btree (district_id) WHERE ((state = ANY (ARRAY['requested'::text, 'running'::text])) AND (kind = 'full'::text));

CREATE UNIQUE INDEX sync_runs_one_running ON public.sync_runs USING btree (district_id) WHERE (state = 'running'::text);

CREATE UNIQUE INDEX sync_runs_one_waiting ON public.sync_runs USING btree (district_id, kind) WHERE ((state = ANY (ARRAY['requested'::text, 'running'::text])) AND (kind <> 'full'::text));

CREATE INDEX user_search_by_name ON public.user_search USING btree (district_id, name_key, user_id);

CREATE INDEX user_search_match ON public.user_search USING gin (district_id, doc public.gin_trgm_ops, school_ids) WITH (gin_pending_list_limit='512');

CREATE INDEX users_by_changed ON public.users USING btree (district_id, changed_at, id);

CREATE INDEX users_by_email ON public.users USING btree (district_id, email_key, id);

CREATE INDEX users_by_name ON public.users USING btree (district_id, name_key, id);

CREATE INDEX users_ended ON public.users USING btree (district_id, name_key, id) WHERE (ended_at IS NOT NULL);

CREATE INDEX users_merged ON public.users USING btree (district_id, merged_into) WHERE (merged_into IS NOT NULL);

CREATE INDEX users_several_roles ON public.users USING btree (district_id, name_key, id) WHERE ((ended_at IS NULL) AND (role_count > 1));

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();

CREATE TRIGGER facts_added AFTER INSERT ON public.overrides REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_overrides();

CREATE TRIGGER facts_added AFTER INSERT ON public.role_grant_schools REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grant_schools();

CREATE TRIGGER facts_added AFTER INSERT ON public.role_grants REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grants();

CREATE TRIGGER facts_added AFTER INSERT ON public.role_rules REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_rules();

CREATE TRIGGER facts_added AFTER INSERT ON public.section_teachers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_section_teachers();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.accounts REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_accounts();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.api_keys REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_api_keys();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.districts REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_districts();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.identities REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_identities();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.overrides REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_overrides();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.role_grant_schools REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grant_schools();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.role_grants REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grants();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.role_rules REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_rules();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.schools REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_schools();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.section_teachers REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_section_teachers();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.sections REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_sections();

CREATE TRIGGER facts_changed AFTER UPDATE ON public.users REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.note_users();

CREATE TRIGGER facts_removed AFTER DELETE ON public.accounts REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_accounts();

CREATE TRIGGER facts_removed AFTER DELETE ON public.api_keys REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_api_keys();

CREATE TRIGGER facts_removed AFTER DELETE ON public.districts REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_districts();

CREATE TRIGGER facts_removed AFTER DELETE ON public.identities REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_identities();

CREATE TRIGGER facts_removed AFTER DELETE ON public.overrides REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_overrides();

CREATE TRIGGER facts_removed AFTER DELETE ON public.role_grant_schools REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grant_schools();

CREATE TRIGGER facts_removed AFTER DELETE ON public.role_grants REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_grants();

CREATE TRIGGER facts_removed AFTER DELETE ON public.role_rules REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_role_rules();

CREATE TRIGGER facts_removed AFTER DELETE ON public.schools REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_schools();

CREATE TRIGGER facts_removed AFTER DELETE ON public.section_teachers REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_section_teachers();

CREATE TRIGGER facts_removed AFTER DELETE ON public.sections REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_sections();

CREATE TRIGGER facts_removed AFTER DELETE ON public.users REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.note_users();

CREATE CONSTRAINT TRIGGER never_merge AFTER INSERT OR UPDATE OF merged_into ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.merged_into IS NOT NULL)) EXECUTE FUNCTION public.check_merge();

CREATE TRIGGER version_added AFTER INSERT ON public.schools REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.note_schools_version();

CREATE TRIGGER version_changed AFTER UPDATE ON public.schools REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.note_schools_version();

CREATE TRIGGER version_removed AFTER DELETE ON public.schools REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.note_schools_version();

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_district_id_folded_into_fkey FOREIGN KEY (district_id, folded_into) REFERENCES public.accounts(district_id, id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_district_id_created_by_fkey FOREIGN KEY (district_id, created_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_district_id_revoked_by_fkey FOREIGN KEY (district_id, revoked_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_district_id_actor_id_fkey FOREIGN KEY (district_id, actor_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.brake_spent
    ADD CONSTRAINT brake_spent_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.bulk_items
    ADD CONSTRAINT bulk_items_district_id_bulk_id_fkey FOREIGN KEY (district_id, bulk_id) REFERENCES public.bulks(district_id, id);

ALTER TABLE ONLY public.bulk_items
    ADD CONSTRAINT bulk_items_district_id_merge_id_fkey FOREIGN KEY (district_id, merge_id) REFERENCES public.merges(district_id, id);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_district_id_change_id_fkey FOREIGN KEY (district_id, change_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_district_id_made_by_fkey FOREIGN KEY (district_id, made_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_district_id_undo_id_fkey FOREIGN KEY (district_id, undo_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.bulks
    ADD CONSTRAINT bulks_district_id_undone_by_fkey FOREIGN KEY (district_id, undone_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_audit_id_fkey FOREIGN KEY (district_id, audit_id) REFERENCES public.audit_entries(district_id, id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_made_by_fkey FOREIGN KEY (district_id, made_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_district_id_undoes_fkey FOREIGN KEY (district_id, undoes) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district_ids(district_id);

ALTER TABLE ONLY public.contact_students
    ADD CONSTRAINT contact_students_district_id_contact_id_fkey FOREIGN KEY (district_id, contact_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.cut_over_rows
    ADD CONSTRAINT cut_over_rows_district_id_change_id_fkey FOREIGN KEY (district_id, change_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.dedupe_models
    ADD CONSTRAINT dedupe_models_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.districts
    ADD CONSTRAINT districts_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.district_ids(district_id);

ALTER TABLE ONLY public.event_cursors
    ADD CONSTRAINT event_cursors_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.head_counts
    ADD CONSTRAINT head_counts_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.held_approvals
    ADD CONSTRAINT held_approvals_district_id_run_id_fkey FOREIGN KEY (district_id, run_id) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.held_effects
    ADD CONSTRAINT held_effects_district_id_run_id_fkey FOREIGN KEY (district_id, run_id) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.held_records
    ADD CONSTRAINT held_records_district_id_release_id_fkey FOREIGN KEY (district_id, release_id) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.held_records
    ADD CONSTRAINT held_records_district_id_run_id_fkey FOREIGN KEY (district_id, run_id) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.import_errors
    ADD CONSTRAINT import_errors_district_id_import_id_fkey FOREIGN KEY (district_id, import_id) REFERENCES public.imports(district_id, id);

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_district_id_import_id_fkey FOREIGN KEY (district_id, import_id) REFERENCES public.imports(district_id, id);

ALTER TABLE ONLY public.import_undo
    ADD CONSTRAINT import_undo_district_id_import_id_fkey FOREIGN KEY (district_id, import_id) REFERENCES public.imports(district_id, id);

ALTER TABLE ONLY public.imported_accounts
    ADD CONSTRAINT imported_accounts_district_id_account_id_fkey FOREIGN KEY (district_id, account_id) REFERENCES public.accounts(district_id, id);

ALTER TABLE ONLY public.imported_accounts
    ADD CONSTRAINT imported_accounts_district_id_import_id_fkey FOREIGN KEY (district_id, import_id) REFERENCES public.imports(district_id, id);

ALTER TABLE ONLY public.imported_accounts
    ADD CONSTRAINT imported_accounts_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_district_id_change_id_fkey FOREIGN KEY (district_id, change_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_district_id_started_by_fkey FOREIGN KEY (district_id, started_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_district_id_undo_id_fkey FOREIGN KEY (district_id, undo_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.merge_members
    ADD CONSTRAINT merge_members_district_id_merge_id_fkey FOREIGN KEY (district_id, merge_id) REFERENCES public.merges(district_id, id);

ALTER TABLE ONLY public.merge_members
    ADD CONSTRAINT merge_members_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.merge_rows
    ADD CONSTRAINT merge_rows_district_id_merge_id_fkey FOREIGN KEY (district_id, merge_id) REFERENCES public.merges(district_id, id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_change_id_fkey FOREIGN KEY (district_id, change_id) REFERENCES public.changes(district_id, id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_merged_by_fkey FOREIGN KEY (district_id, merged_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_proposed_by_fkey FOREIGN KEY (district_id, proposed_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_survivor_id_fkey FOREIGN KEY (district_id, survivor_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_district_id_unmerged_by_fkey FOREIGN KEY (district_id, unmerged_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.migrated_ids
    ADD CONSTRAINT migrated_ids_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.migrated_ids
    ADD CONSTRAINT migrated_ids_district_id_import_id_fkey FOREIGN KEY (district_id, import_id) REFERENCES public.imports(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_created_by_fkey FOREIGN KEY (district_id, created_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_end_term_id_fkey FOREIGN KEY (district_id, end_term_id) REFERENCES public.terms(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_ended_by_fkey FOREIGN KEY (district_id, ended_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_school_id_fkey FOREIGN KEY (district_id, school_id) REFERENCES public.schools(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_section_id_fkey FOREIGN KEY (district_id, section_id) REFERENCES public.sections(district_id, id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.pair_decisions
    ADD CONSTRAINT pair_decisions_district_id_decided_by_fkey FOREIGN KEY (district_id, decided_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.pair_decisions
    ADD CONSTRAINT pair_decisions_district_id_ended_by_fkey FOREIGN KEY (district_id, ended_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.pair_decisions
    ADD CONSTRAINT pair_decisions_district_id_hi_fkey FOREIGN KEY (district_id, hi) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.pair_decisions
    ADD CONSTRAINT pair_decisions_district_id_lo_fkey FOREIGN KEY (district_id, lo) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.role_grant_schools
    ADD CONSTRAINT role_grant_schools_district_id_grant_id_fkey FOREIGN KEY (district_id, grant_id) REFERENCES public.role_grants(district_id, id);

ALTER TABLE ONLY public.role_grant_schools
    ADD CONSTRAINT role_grant_schools_district_id_school_id_fkey FOREIGN KEY (district_id, school_id) REFERENCES public.schools(district_id, id);

ALTER TABLE ONLY public.role_grant_schools
    ADD CONSTRAINT role_grant_schools_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.role_grants
    ADD CONSTRAINT role_grants_district_id_given_by_fkey FOREIGN KEY (district_id, given_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.role_grants
    ADD CONSTRAINT role_grants_district_id_record_id_fkey FOREIGN KEY (district_id, record_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.role_grants
    ADD CONSTRAINT role_grants_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.role_rules
    ADD CONSTRAINT role_rules_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.schools
    ADD CONSTRAINT schools_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.section_strangers
    ADD CONSTRAINT section_strangers_district_id_section_id_fkey FOREIGN KEY (district_id, section_id) REFERENCES public.sections(district_id, id);

ALTER TABLE ONLY public.section_students
    ADD CONSTRAINT section_students_district_id_section_id_fkey FOREIGN KEY (district_id, section_id) REFERENCES public.sections(district_id, id);

ALTER TABLE ONLY public.section_students
    ADD CONSTRAINT section_students_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.section_teachers
    ADD CONSTRAINT section_teachers_district_id_section_id_fkey FOREIGN KEY (district_id, section_id) REFERENCES public.sections(district_id, id);

ALTER TABLE ONLY public.section_teachers
    ADD CONSTRAINT section_teachers_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.sections
    ADD CONSTRAINT sections_district_id_school_id_fkey FOREIGN KEY (district_id, school_id) REFERENCES public.schools(district_id, id);

ALTER TABLE ONLY public.sections
    ADD CONSTRAINT sections_district_id_term_id_fkey FOREIGN KEY (district_id, term_id) REFERENCES public.terms(district_id, id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.suggestion_members
    ADD CONSTRAINT suggestion_members_district_id_suggestion_id_fkey FOREIGN KEY (district_id, suggestion_id) REFERENCES public.suggestions(district_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.suggestion_members
    ADD CONSTRAINT suggestion_members_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_district_id_keep_id_fkey FOREIGN KEY (district_id, keep_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_district_id_taken_by_fkey FOREIGN KEY (district_id, taken_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.sync_changes
    ADD CONSTRAINT sync_changes_district_id_run_id_fkey FOREIGN KEY (district_id, run_id) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_district_id_holds_fkey FOREIGN KEY (district_id, holds) REFERENCES public.sync_runs(district_id, id);

ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT sync_runs_district_id_requested_by_fkey FOREIGN KEY (district_id, requested_by) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.user_preferences
    ADD CONSTRAINT user_preferences_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.user_search
    ADD CONSTRAINT user_search_district_id_user_id_fkey FOREIGN KEY (district_id, user_id) REFERENCES public.users(district_id, id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_district_id_fkey FOREIGN KEY (district_id) REFERENCES public.districts(district_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_district_id_merged_into_fkey FOREIGN KEY (district_id, merged_into) REFERENCES public.users(district_id, id);

ALTER TABLE public.accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_entries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.brake_spent ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bulk_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bulks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.connections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_students ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cut_over_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dedupe_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dedupe_models ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.districts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_cursors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.fact_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.head_counts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.held_approvals ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.held_effects ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.held_records ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.import_errors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.import_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.import_undo ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.imported_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.imports ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.merge_members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.merge_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.merges ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.migrated_ids ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.overrides ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_district ON public.accounts USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.api_keys USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.audit_entries USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.brake_spent USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.bulk_items USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.bulks USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.changes USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.connections USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.contact_students USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.cut_over_rows USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.dedupe_keys USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.dedupe_models USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.districts USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.event_cursors USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.fact_changes USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.head_counts USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.held_approvals USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.held_effects USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.held_records USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.identities USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.import_errors USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.import_rows USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.import_undo USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.imported_accounts USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.imports USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.merge_members USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.merge_rows USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.merges USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.migrated_ids USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.overrides USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.pair_decisions USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.role_grant_schools USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.role_grants USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.role_rules USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.schools USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.section_strangers USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.section_students USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.section_teachers USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.sections USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.sessions USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.suggestion_members USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.suggestions USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.sync_changes USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.sync_runs USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.terms USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.user_preferences USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

CREATE POLICY own_district ON public.users USING ((district_id = public.current_district())) WITH CHECK ((district_id = public.current_district()));

ALTER TABLE public.pair_decisions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.role_grant_schools ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.role_grants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.role_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.schools ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.section_strangers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.section_students ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.section_teachers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.suggestion_members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.suggestions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sync_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sync_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.terms ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.user_preferences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA public TO hallpass_app;

REVOKE ALL ON FUNCTION public.settle_roster() FROM PUBLIC;
GRANT ALL ON FUNCTION public.settle_roster() TO hallpass_app;

REVOKE ALL ON FUNCTION public.wall(tables text[]) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.accounts TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.accounts_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_keys TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.api_keys_id_seq TO hallpass_app;

GRANT SELECT,INSERT ON TABLE public.audit_entries TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.brake_spent TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bulk_items TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bulks TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.bulks_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.changes TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.connections TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_students TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.cut_over_rows TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dedupe_keys TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dedupe_models TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.district_ids TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.district_ids_district_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.districts TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.erasures_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.event_cursors TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.fact_changes TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.fact_changes_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.head_counts TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.held_approvals TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.held_effects TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.held_records TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identities TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_errors TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_rows TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_undo TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.imported_accounts TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.imported_accounts_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.imports TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.imports_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.merge_members TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.merge_rows TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.merges TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.migrated_ids TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.overrides TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.overrides_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pair_decisions TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.pair_decisions_id_seq TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.policy_versions TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.role_grant_schools TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.role_grants TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.role_grants_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.role_rules TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schools TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.schools_id_seq TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.schools_versions TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.section_strangers TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.section_students TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.section_teachers TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sections TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.sections_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.suggestion_members TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.suggestions TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.suggestions_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sync_changes TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.sync_changes_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sync_runs TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.sync_runs_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.terms TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.terms_id_seq TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_preferences TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_search TO hallpass_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO hallpass_app;

GRANT SELECT,USAGE ON SEQUENCE public.users_id_seq TO hallpass_app;

ALTER DEFAULT PRIVILEGES FOR ROLE hallpass_owner IN SCHEMA public GRANT SELECT,USAGE ON SEQUENCES  TO hallpass_app;

ALTER DEFAULT PRIVILEGES FOR ROLE hallpass_owner IN SCHEMA public GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO hallpass_app;

