-- +goose Up
CREATE TABLE sync_runs (
  district_id  bigint      NOT NULL REFERENCES districts,
  id           bigint      GENERATED ALWAYS AS IDENTITY,
  kind         text        NOT NULL CHECK (kind IN ('full')),
  state        text        NOT NULL CHECK (state IN ('requested', 'running', 'done', 'failed')),
  requested_by bigint,                            -- NULL: the program itself
  requested_at timestamptz NOT NULL,
  started_at   timestamptz,
  beat_at      timestamptz,                       -- last sign of life; an old one marks a run whose program died
  finished_at  timestamptz,
  progress     jsonb       NOT NULL DEFAULT '[]', -- counts by record type, in the order walked
  error        text        NOT NULL DEFAULT '',
  error_type   text        NOT NULL DEFAULT '',   -- the record type whose page failed
  error_page   integer     NOT NULL DEFAULT 0,
  error_next   text        NOT NULL DEFAULT '',   -- what to do about it: retry, credentials, sharing, rate or support
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, requested_by) REFERENCES users
);
-- One run at a time in a district: the second request finds this and answers with the first.
CREATE UNIQUE INDEX sync_runs_one_open ON sync_runs (district_id) WHERE state IN ('requested', 'running');

-- The newest event id saved before a full sync began, so that events after it can follow. Cursors of two API
-- versions are not known to agree, so the version is part of the key.
CREATE TABLE event_cursors (
  district_id bigint      NOT NULL REFERENCES districts,
  version     text        NOT NULL,
  event_id    text        NOT NULL,               -- '' when the feed was empty
  saved_at    timestamptz NOT NULL,
  PRIMARY KEY (district_id, version)
);

-- A signed-in browser. The token itself is only in its cookie; here is its SHA-256.
CREATE TABLE sessions (
  district_id  bigint      NOT NULL,
  token_hash   bytea       NOT NULL CHECK (length(token_hash) = 32),
  user_id      bigint      NOT NULL,
  code_hash    bytea       NOT NULL,              -- of the OAuth code it was made from: a repeated callback continues it
  created_at   timestamptz NOT NULL,
  seen_at      timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  revoked_at   timestamptz,
  PRIMARY KEY (district_id, token_hash),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);
CREATE INDEX sessions_by_user ON sessions (district_id, user_id);

-- Append-only and chained: hash covers the entry and the hash before it, per district.
CREATE TABLE audit_entries (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      NOT NULL CHECK (id > 0), -- 1, 2, 3 … in each district, no gaps
  at          timestamptz NOT NULL,
  actor_id    bigint,                              -- NULL: the program itself, named in actor
  actor       text        NOT NULL,
  view        text        NOT NULL DEFAULT '',
  action      text        NOT NULL,
  subject     text        NOT NULL DEFAULT '',     -- what was acted on, as kind:id
  data        jsonb       NOT NULL DEFAULT '{}',
  request_id  text        NOT NULL DEFAULT '',
  prev_hash   bytea       NOT NULL,
  hash        bytea       NOT NULL,
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, actor_id) REFERENCES users
);

SELECT wall(ARRAY['sync_runs', 'event_cursors', 'sessions', 'audit_entries']);

-- Append-only twice over: the app's role lacks the right, and the trigger stops an owner too.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM hallpass_app;
-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger
  LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- +goose Down
SELECT 1/0;
