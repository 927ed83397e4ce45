-- What the forecast service keeps: each resource with what it was asked for, what became of it, and what it holds.

CREATE TABLE IF NOT EXISTS forecast_resources (
    arn        text PRIMARY KEY,
    kind       text NOT NULL, -- as in the operation's name: DatasetGroup, Dataset, DatasetImportJob, Predictor, ...
    account    text NOT NULL,
    region     text NOT NULL,
    name       text NOT NULL, -- with its parent's where names are given anew below each parent
    request    jsonb NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}', -- what the job found, in the members of the API's answers
    parents    text[] NOT NULL, -- what it was made from and cannot be without
    status     text NOT NULL,
    message    text,
    attempts   int NOT NULL DEFAULT 0, -- of its job; counted before it starts
    content    bytea, -- a dataset as it is after an import, a trained model, a forecast
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (account, region, kind, name)
);

CREATE INDEX IF NOT EXISTS forecast_resources_by_parent ON forecast_resources USING gin (parents);
CREATE INDEX IF NOT EXISTS forecast_resources_to_do ON forecast_resources (created_at)
    WHERE status IN ('CREATE_PENDING', 'CREATE_IN_PROGRESS', 'DELETE_PENDING', 'DELETE_IN_PROGRESS');
