-- +goose Up
-- A person's page tells of how many schools they have no role at, and so counts them all each time.
CREATE INDEX schools_listed ON schools (district_id) WHERE ended_at IS NULL AND listed;

-- +goose Down
SELECT 1/0;
