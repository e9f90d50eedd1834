-- +goose Up
-- The brake. A run that would take too much away stops before that, is held with the exact list, and waits for a
-- person. A release is the run that applies what was approved of a held one.
ALTER TABLE sync_runs DROP CONSTRAINT sync_runs_kind_check, DROP CONSTRAINT sync_runs_state_check, DROP CONSTRAINT sync_runs_cause_check;
ALTER TABLE sync_runs
  ADD CONSTRAINT sync_runs_kind_check  CHECK (kind IN ('full', 'events', 'release')),
  ADD CONSTRAINT sync_runs_state_check CHECK (state IN ('requested', 'running', 'done', 'failed', 'held', 'released', 'discarded', 'superseded')),
  ADD CONSTRAINT sync_runs_cause_check CHECK (cause IN ('', 'nightly', 'gap', 'version', 'cursor', 'brake', 'held')),
  ADD COLUMN holds       bigint CHECK ((holds IS NOT NULL) = (kind = 'release')), -- of a release: the held run
  ADD COLUMN brake       jsonb  NOT NULL DEFAULT '{}', -- of a held run: what it would take, by type, and the limits then
  ADD COLUMN first_sync  boolean NOT NULL DEFAULT false, -- everyone was new: no changes are listed person by person
  ADD COLUMN marks       jsonb  NOT NULL DEFAULT '{}', -- the highest ids of each type when the run began: what is above is new with it
  ADD COLUMN decided_by  bigint, -- who discarded it, or approved the last of it; no foreign key: it stays with whoever that was
  ADD COLUMN decided_at  timestamptz,
  ADD FOREIGN KEY (district_id, holds) REFERENCES sync_runs;
CREATE UNIQUE INDEX sync_runs_one_held    ON sync_runs (district_id) WHERE state = 'held';
CREATE UNIQUE INDEX sync_runs_one_waiting ON sync_runs (district_id, kind) WHERE state IN ('requested', 'running') AND kind <> 'full';

-- Shares are of a hundred, by type; a type without one has 10. 100 is no limit.
ALTER TABLE districts
  ADD COLUMN brake_shares jsonb   NOT NULL DEFAULT '{}',
  ADD COLUMN brake_people integer NOT NULL DEFAULT 25 CHECK (brake_people >= 0);

-- Since when a run is held, for the machine that watches: it enters no district.
ALTER TABLE district_ids ADD COLUMN held_at timestamptz;

-- What a run would take away and has not. While the run goes, it gathers here who would lose a role, and which section
-- a teacher; at its end, if it is held, everything that was not listed any more.
-- record_id has no foreign key: it is of the table that type names.
CREATE TABLE held_records (
  district_id bigint  NOT NULL,
  run_id      bigint  NOT NULL,
  type        text    NOT NULL CHECK (type IN ('schools', 'terms', 'users', 'sections', 'roles', 'teaching')), -- roles: of a user who stays; teaching: of a section that stays
  record_id   bigint  NOT NULL,
  cause       text    NOT NULL DEFAULT '' CHECK (cause IN ('', 'all_new', 'type_gone', 'school_gone', 'single', 'newcomer')),
  roles       text[]  NOT NULL DEFAULT '{}', -- of a user: those that end
  school_id   bigint,                        -- where it is, or mainly is
  sort_key    text    COLLATE "C" NOT NULL DEFAULT '',
  record      jsonb,                         -- of roles and teaching: the record as Clever has it
  returned_at timestamptz,                   -- Clever listed it again meanwhile
  release_id  bigint,                        -- the run that applies it
  PRIMARY KEY (district_id, run_id, type, record_id),
  FOREIGN KEY (district_id, run_id)     REFERENCES sync_runs,
  FOREIGN KEY (district_id, release_id) REFERENCES sync_runs
);
CREATE INDEX held_records_by_name    ON held_records (district_id, run_id, sort_key, type, record_id);
CREATE INDEX held_records_by_release ON held_records (district_id, release_id) WHERE release_id IS NOT NULL;

-- Who would lose, or gain, a sensitive permission, and at which school; without one, in the whole district.
-- user_id has no foreign key: the list says what was so when the run was held, whoever merges later.
CREATE TABLE held_effects (
  district_id bigint  NOT NULL,
  run_id      bigint  NOT NULL,
  user_id     bigint  NOT NULL,
  permission  text    NOT NULL,
  school_id   bigint  NOT NULL DEFAULT 0,
  gained      boolean NOT NULL,
  PRIMARY KEY (district_id, run_id, user_id, permission, school_id),
  FOREIGN KEY (district_id, run_id) REFERENCES sync_runs
);
CREATE INDEX held_effects_by_permission ON held_effects (district_id, run_id, permission, school_id);

-- The first of two people who approve. It is void as soon as the list is another.
CREATE TABLE held_approvals (
  district_id bigint      NOT NULL,
  run_id      bigint      NOT NULL,
  list        bytea       NOT NULL, -- SHA-256 of the approved list
  approved_by bigint      NOT NULL, -- no foreign key: two users merged into one have approved once
  approved_at timestamptz NOT NULL,
  PRIMARY KEY (district_id, run_id),
  FOREIGN KEY (district_id, run_id) REFERENCES sync_runs
);

-- What runs that follow events have taken since the last full sync: together they stay below the brake's limits too.
CREATE TABLE brake_spent (
  district_id bigint  NOT NULL REFERENCES districts,
  type        text    NOT NULL,
  spent       integer NOT NULL,
  PRIMARY KEY (district_id, type)
);

-- What a run changed of people, one line for each change.
-- user_id has no foreign key: history stays with the record that it was about.
CREATE TABLE sync_changes (
  district_id bigint NOT NULL,
  run_id      bigint NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  user_id     bigint NOT NULL,
  kind        text   NOT NULL CHECK (kind IN ('came', 'returned', 'left', 'role_gained', 'role_lost', 'school_gained', 'school_lost', 'name', 'email', 'labels')),
  role        text   NOT NULL DEFAULT '',
  school_id   bigint,
  before      text   NOT NULL DEFAULT '',
  after       text   NOT NULL DEFAULT '',
  PRIMARY KEY (district_id, run_id, id),
  FOREIGN KEY (district_id, run_id) REFERENCES sync_runs
);
CREATE INDEX sync_changes_by_kind ON sync_changes (district_id, run_id, kind, id);

SELECT wall(ARRAY['held_records', 'held_effects', 'held_approvals', 'brake_spent', 'sync_changes']);

-- +goose Down
SELECT 1/0;
