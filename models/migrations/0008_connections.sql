-- +goose Up
ALTER TABLE districts
  ADD COLUMN sync_hour      smallint NOT NULL DEFAULT 2  CHECK (sync_hour BETWEEN 0 AND 23),  -- of the nightly full sync, by the district's clock
  ADD COLUMN retention_days integer  NOT NULL DEFAULT 60 CHECK (retention_days BETWEEN 1 AND 3650); -- after leaving, until it may be erased

-- How a district is connected to this app: what people decided (switch), and what Clever's token list says. Nothing is
-- synced before somebody has switched the district on.
CREATE TABLE connections (
  district_id   bigint      PRIMARY KEY REFERENCES district_ids,
  switch        text        NOT NULL CHECK (switch IN ('waiting', 'on', 'paused', 'off')),
  switched_at   timestamptz NOT NULL,
  left_at       timestamptz,                      -- gone from Clever's token list since then
  refused_at    timestamptz,                      -- Clever has refused the token kept here since then
  refused_text  text        NOT NULL DEFAULT '',  -- in Clever's own words
  token         bytea,                            -- sealed: AES-256-GCM, the nonce first; NULL: none is kept
  token_key     text        NOT NULL DEFAULT '',  -- id of the key that opens it
  token_made_at timestamptz,                      -- by Clever's clock
  token_kept_at timestamptz
);
-- Before the wall: whoever was here before was syncing already.
INSERT INTO connections (district_id, switch, switched_at) SELECT district_id, 'on', now() FROM district_ids;
SELECT wall(ARRAY['connections']);

-- Which districts were erased, for whoever restores a backup and must erase them again: ids, counts and moments, of
-- nobody's data. Outside the wall, because the district is not here any more.
CREATE TABLE erasures (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  clever_id     text        NOT NULL,
  erased_at     timestamptz,                      -- NULL: begun, and broken off
  certificate   jsonb       NOT NULL
);
REVOKE ALL ON erasures FROM hallpass_app;

-- Entries leave only with their whole district, by the owner's hand: the app's role has no right to delete any. The
-- setting is made for one transaction by the command that erases.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('hallpass.erasing', true) = current_setting('hallpass.district', true)
     AND current_setting('hallpass.erasing', true) <> '' AND current_user <> 'hallpass_app' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'audit_entries is append-only';
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1/0;
