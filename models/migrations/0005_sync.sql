-- +goose Up
-- Runs that follow events stand beside full ones. One run writes in a district at a time; a full one may be asked for
-- while events are being followed, and waits for them.
ALTER TABLE sync_runs DROP CONSTRAINT sync_runs_kind_check;
ALTER TABLE sync_runs
  ADD CONSTRAINT sync_runs_kind_check CHECK (kind IN ('full', 'events')),
  ADD COLUMN cause text NOT NULL DEFAULT ''       -- why the program asked for it: nightly, gap, version or cursor
    CHECK (cause IN ('', 'nightly', 'gap', 'version', 'cursor'));
DROP INDEX sync_runs_one_open;
CREATE UNIQUE INDEX sync_runs_one_open    ON sync_runs (district_id) WHERE state IN ('requested', 'running') AND kind = 'full';
CREATE UNIQUE INDEX sync_runs_one_running ON sync_runs (district_id) WHERE state = 'running';

-- Whom and what sections name that is not here: not shared, not shared yet, or ended. When it comes, by an event or a
-- full sync, it takes its place without Clever sending the section again.
CREATE TABLE section_strangers (
  district_id bigint NOT NULL,
  section_id  bigint NOT NULL,
  kind        text   NOT NULL CHECK (kind IN ('primary', 'teacher', 'student', 'term')), -- primary: the primary teacher
  clever_id   text   COLLATE "C" NOT NULL,
  PRIMARY KEY (district_id, section_id, kind, clever_id),
  FOREIGN KEY (district_id, section_id) REFERENCES sections
);
CREATE INDEX section_strangers_by_clever_id ON section_strangers (district_id, clever_id);
SELECT wall(ARRAY['section_strangers']);

-- Sections written before this do not know their strangers. Without a cursor the next sync is a full one, which fills
-- them in. TRUNCATE, because row-level security lets nobody see the rows here.
TRUNCATE event_cursors;

-- +goose Down
SELECT 1/0;
