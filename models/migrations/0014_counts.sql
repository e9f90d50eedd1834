-- +goose Up
-- What waits in the queue is counted for every page that shows it. A case's row is wide, with all the evidence in it,
-- and the name of its list is all that counting needs.
CREATE INDEX suggestions_by_list ON suggestions (district_id, kind, class, unsure);

-- +goose Down
SELECT 1/0;
