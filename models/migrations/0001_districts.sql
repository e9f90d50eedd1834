-- +goose Up
-- The role every pooled connection runs as: neither superuser nor BYPASSRLS, owner of nothing, so that
-- row-level security binds it. Roles belong to the whole server, so another database may have made it already.
-- +goose StatementBegin
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hallpass_app') THEN
    CREATE ROLE hallpass_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL; -- two databases of one server migrating at once
END $$;
-- +goose StatementEnd
-- A login that is not a superuser must be a member of the role to SET ROLE to it.
-- +goose StatementBegin
DO $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
     AND NOT pg_has_role(current_user, 'hallpass_app', 'MEMBER') THEN
    EXECUTE format('GRANT hallpass_app TO %I', current_user);
  END IF;
END $$;
-- +goose StatementEnd

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

GRANT USAGE ON SCHEMA public TO hallpass_app;
GRANT SELECT ON goose_db_version TO hallpass_app; -- made before any step ran; serve compares it with what it needs
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO hallpass_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO hallpass_app;

-- The district of this transaction, or NULL: with no district set, no policy lets a row through.
-- +goose StatementBegin
CREATE FUNCTION current_district() RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('hallpass.district', true), '')::bigint $$;
-- +goose StatementEnd

-- Walls a table in: a row is visible and writable only to its own district. FORCE binds the owner too.
-- +goose StatementBegin
CREATE FUNCTION wall(tables text[]) RETURNS void
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
-- +goose StatementEnd
REVOKE ALL ON FUNCTION wall(text[]) FROM PUBLIC;

-- Clever's district id to ours. Outside the wall, because sign-in and sync must find a district before they can
-- enter it; it holds the two ids and nothing else.
CREATE TABLE district_ids (
  district_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  clever_id   text   NOT NULL UNIQUE CHECK (clever_id <> '')
);

CREATE TABLE districts (
  district_id bigint      PRIMARY KEY REFERENCES district_ids,
  clever_id   text        NOT NULL UNIQUE,
  name        text        NOT NULL,
  state       text        NOT NULL DEFAULT '',   -- Clever's word: running, pending, error, paused, success
  time_zone   text        NOT NULL DEFAULT 'America/New_York',
  created_at  timestamptz NOT NULL,
  synced_at   timestamptz                        -- end of the last full sync that finished
);
SELECT wall(ARRAY['districts']);

-- +goose Down
SELECT 1/0; -- there is no way down: restore a backup
