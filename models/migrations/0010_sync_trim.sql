-- +goose Up
-- Clever's own words where a run failed by its answer, as they came.
ALTER TABLE sync_runs ADD COLUMN error_said text NOT NULL DEFAULT '';

-- What is trimmed is found by these: lists of held runs that were decided, and sign-ins that are over.
CREATE INDEX sync_runs_decided ON sync_runs (district_id, id) WHERE state IN ('released', 'discarded', 'superseded');
CREATE INDEX sessions_by_end   ON sessions (district_id, expires_at);

-- +goose Down
SELECT 1/0;
