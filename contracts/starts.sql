-- What has started a run, so that it starts one only: a caller's idempotency key, or the time of a schedule.

CREATE TABLE IF NOT EXISTS starts (
    cause   text PRIMARY KEY,
    asked   text NOT NULL, -- a digest of what was asked for
    run_id  text NOT NULL REFERENCES runs ON DELETE CASCADE,
    sent_at timestamptz -- when the message that sets the run going was sent; null when nobody knows whether it was
);

-- A schedule counts from when it is first seen here: what it would have started before that is nobody's loss.
CREATE TABLE IF NOT EXISTS schedules (
    pipeline   text NOT NULL,
    expression text NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pipeline, expression)
);
