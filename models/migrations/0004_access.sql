-- +goose Up
-- What a district decides about access. policy_version takes the next number with every change of rules, combining
-- or strategy, in the same transaction, so that a copy of the policy in memory is proved current by the statement that
-- reads facts. A sequence, because a number given back by a rollback would name two policies.
CREATE SEQUENCE policy_versions;
ALTER TABLE districts
  ADD COLUMN combining       text   NOT NULL DEFAULT 'most_privileged' CHECK (combining IN ('most_privileged', 'least_privileged', 'view_in_use')),
  ADD COLUMN strategy        text   NOT NULL DEFAULT 'consolidated' CHECK (strategy IN ('consolidated', 'per_role')),
  ADD COLUMN policy_version  bigint NOT NULL DEFAULT 0,
  ADD COLUMN school_year_end text   NOT NULL DEFAULT '06-30' CHECK (school_year_end ~ '^[0-1][0-9]-[0-3][0-9]$'); -- month and day

-- Where the district's rules differ from the catalogue's. A row that says what the catalogue says is removed.
CREATE TABLE role_rules (
  district_id bigint  NOT NULL REFERENCES districts,
  role        text    NOT NULL CHECK (role IN ('teacher', 'staff', 'district_admin')),
  label       text    NOT NULL DEFAULT '' CHECK (label = '' OR role = 'staff'),
  permission  text    NOT NULL,
  given       boolean NOT NULL,
  PRIMARY KEY (district_id, role, label, permission)
);

CREATE TABLE overrides (
  district_id bigint      NOT NULL,
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  user_id     bigint      NOT NULL,
  permission  text        NOT NULL,
  allow       boolean     NOT NULL,
  place_kind  text        NOT NULL CHECK (place_kind IN ('section', 'school', 'district')),
  school_id   bigint      CHECK ((school_id IS NOT NULL) = (place_kind <> 'district')), -- a section's too
  section_id  bigint      CHECK ((section_id IS NOT NULL) = (place_kind = 'section')),
  reason      text        NOT NULL CHECK (reason IN ('covering', 'co_teaching', 'duty', 'investigation', 'request', 'other')),
  note        text        NOT NULL CHECK (note <> '' AND length(note) <= 1000),
  end_kind    text        NOT NULL CHECK (end_kind IN ('date', 'term', 'school_year', 'role', 'none')),
  ends_at     timestamptz CHECK ((ends_at IS NOT NULL) = (end_kind IN ('date', 'term', 'school_year'))),
  end_term_id bigint      CHECK ((end_term_id IS NOT NULL) = (end_kind = 'term')),
  end_role    text        CHECK ((end_role IS NOT NULL) = (end_kind = 'role')),
  locked      boolean     NOT NULL DEFAULT false, -- only somebody who manages overrides in the whole district may change it
  created_by  bigint      NOT NULL,
  created_at  timestamptz NOT NULL,
  ended_at    timestamptz,                        -- ended by somebody; what ends by itself keeps this NULL
  ended_by    bigint,
  PRIMARY KEY (district_id, id),
  FOREIGN KEY (district_id, user_id)     REFERENCES users,
  FOREIGN KEY (district_id, school_id)   REFERENCES schools,
  FOREIGN KEY (district_id, section_id)  REFERENCES sections,
  FOREIGN KEY (district_id, end_term_id) REFERENCES terms,
  FOREIGN KEY (district_id, created_by)  REFERENCES users,
  FOREIGN KEY (district_id, ended_by)    REFERENCES users
);
CREATE INDEX overrides_by_user       ON overrides (district_id, user_id);
CREATE INDEX overrides_current       ON overrides (district_id, permission, place_kind, school_id, section_id) WHERE ended_at IS NULL;
CREATE INDEX overrides_ending        ON overrides (district_id, ends_at) WHERE ended_at IS NULL;
-- One standing answer for one question: a second click finds the first one's row.
CREATE UNIQUE INDEX overrides_one_current ON overrides
  (district_id, user_id, permission, place_kind, coalesce(school_id, 0), coalesce(section_id, 0), allow) WHERE ended_at IS NULL;

-- Roles given by hand: who gave them, why and until when. Clever's own rows keep these empty.
ALTER TABLE role_grants
  ADD COLUMN given_by bigint,
  ADD COLUMN reason   text        NOT NULL DEFAULT '',
  ADD COLUMN note     text        NOT NULL DEFAULT '',
  ADD COLUMN ends_at  timestamptz,
  ADD FOREIGN KEY (district_id, given_by) REFERENCES users;
CREATE INDEX role_grants_manual ON role_grants (district_id, id) WHERE source = 'manual';

-- Every applied change: the receipt, the proof against a second click, and what an undo needs.
CREATE TABLE changes (
  district_id bigint      NOT NULL REFERENCES districts,
  id          bigint      NOT NULL CHECK (id > 0), -- the receipt's number: 1, 2, 3 … in each district
  token       text        NOT NULL CHECK (length(token) BETWEEN 16 AND 64), -- made with the preview, used once
  kind        text        NOT NULL,
  subject     text        NOT NULL DEFAULT '',     -- kind:id, as in audit_entries
  before      jsonb       NOT NULL DEFAULT '{}',
  after       jsonb       NOT NULL DEFAULT '{}',
  plan        bytea       NOT NULL,                -- SHA-256 of the plan that the preview showed
  view        text        NOT NULL DEFAULT '',
  made_by     bigint      NOT NULL,
  made_at     timestamptz NOT NULL,
  audit_id    bigint      NOT NULL,
  undoes      bigint,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, token),
  UNIQUE (district_id, undoes),
  FOREIGN KEY (district_id, made_by)  REFERENCES users,
  FOREIGN KEY (district_id, undoes)   REFERENCES changes,
  FOREIGN KEY (district_id, audit_id) REFERENCES audit_entries
);
CREATE INDEX changes_by_subject ON changes (district_id, subject, id);

-- Keys of the decision API. The key itself is shown once; here is its SHA-256.
CREATE TABLE api_keys (
  district_id  bigint      NOT NULL REFERENCES districts,
  id           bigint      GENERATED ALWAYS AS IDENTITY,
  name         text        NOT NULL CHECK (name <> '' AND length(name) <= 100),
  key_hash     bytea       NOT NULL CHECK (length(key_hash) = 32),
  hint         text        NOT NULL,              -- its last four characters, to tell keys apart
  explains     boolean     NOT NULL DEFAULT true, -- answers carry reason_admin and the trace
  created_by   bigint      NOT NULL,
  created_at   timestamptz NOT NULL,
  last_used_at timestamptz,                       -- to the minute
  revoked_at   timestamptz,
  revoked_by   bigint,
  PRIMARY KEY (district_id, id),
  UNIQUE (district_id, key_hash),
  FOREIGN KEY (district_id, created_by) REFERENCES users,
  FOREIGN KEY (district_id, revoked_by) REFERENCES users
);

-- What a person chose for themselves.
CREATE TABLE user_preferences (
  district_id  bigint NOT NULL,
  user_id      bigint NOT NULL,
  default_view text   NOT NULL DEFAULT '',        -- where sign-in leads; '' asks again
  PRIMARY KEY (district_id, user_id),
  FOREIGN KEY (district_id, user_id) REFERENCES users
);

SELECT wall(ARRAY['role_rules', 'overrides', 'changes', 'api_keys', 'user_preferences']);

-- Who did what, newest first, what was done to whom, of which kind and in which view; and where a day begins.
CREATE INDEX audit_entries_by_actor   ON audit_entries (district_id, actor_id, id);
CREATE INDEX audit_entries_by_subject ON audit_entries (district_id, subject, id);
CREATE INDEX audit_entries_by_action  ON audit_entries (district_id, action, id);
CREATE INDEX audit_entries_by_view    ON audit_entries (district_id, view, id);
CREATE INDEX audit_entries_by_time    ON audit_entries (district_id, at);

-- +goose Down
SELECT 1/0;
