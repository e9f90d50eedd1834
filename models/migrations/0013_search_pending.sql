-- +goose Up
-- Every search reads through what the index has not sorted in yet. PostgreSQL's own limit of 4 MB is what ten thousand
-- changed people leave there, and several times an exact search's own time.
ALTER INDEX user_search_match SET (gin_pending_list_limit = 512);

-- +goose Down
SELECT 1/0;
