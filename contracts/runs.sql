-- The truth about runs: what each step needs, where it stands, what it answered. Workers of both styles keep these rows;
-- joins, history, watchdog and redrive read them.

CREATE TABLE IF NOT EXISTS graphs (
    digest text PRIMARY KEY,
    body   text NOT NULL -- contracts.graph.Graph as JSON
);

-- A state machine changes with each deploy; its published versions do not. Runs start by the version of their graph.
CREATE TABLE IF NOT EXISTS state_machines (
    machine text NOT NULL, -- the ARN
    graph   text NOT NULL REFERENCES graphs,
    version text NOT NULL UNIQUE, -- the ARN of the version that was rendered from this graph
    PRIMARY KEY (machine, graph)
);

-- What `deploy` has applied: so that code which was replaced by other code does not replace that one by accident.
CREATE TABLE IF NOT EXISTS deployments (
    prefix      text NOT NULL,
    template    text NOT NULL, -- the SHA-256 of the template
    deployed_at timestamptz NOT NULL DEFAULT now(), -- for the last time
    PRIMARY KEY (prefix, template)
);

CREATE TABLE IF NOT EXISTS runs (
    run_id      text PRIMARY KEY,
    parent      text, -- the run that this one is a step of, when it is nested
    pipeline    text NOT NULL,
    style       text NOT NULL, -- orchestrated, choreographed or scheduled
    date        date NOT NULL,
    request     text NOT NULL, -- contracts.run.RunRequest as JSON
    graph       text NOT NULL REFERENCES graphs,
    generation  integer NOT NULL DEFAULT 1,
    status      text NOT NULL DEFAULT 'RUNNING', -- RUNNING, SUCCEEDED, FAILED
    degraded    boolean NOT NULL DEFAULT false, -- succeeded, but something was replaced on the way
    cause       text,
    execution   text, -- the ARN, when orchestrated
    checked_at  timestamptz, -- when the execution was last asked about
    traceparent text,
    deadline    timestamptz NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz
);

CREATE INDEX IF NOT EXISTS runs_running ON runs (deadline) WHERE status = 'RUNNING';
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (started_at DESC);
CREATE INDEX IF NOT EXISTS runs_by_date ON runs (pipeline, date DESC);

CREATE TABLE IF NOT EXISTS steps (
    run_id      text NOT NULL REFERENCES runs,
    component   text NOT NULL,
    item        text NOT NULL,
    version     text NOT NULL,
    position    integer NOT NULL, -- in the order of the pipeline
    state       text NOT NULL, -- waiting, ready, claimed, done, reused, failed
    mode        text NOT NULL DEFAULT 'normal', -- or fallback, after the last attempt of the component's handler
    needs       text[] NOT NULL DEFAULT '{}', -- component/item
    attempt     integer NOT NULL DEFAULT 0,
    fence       integer NOT NULL DEFAULT 0, -- grows with every claim; a commit with an older one does not count
    owner       text,
    lease_until timestamptz,
    token       text, -- the newest task token that asks for this step's answer
    ready_by    text, -- the id of the event that completed the needs
    ready_at    timestamptz,
    inputs_from jsonb, -- the run that each input came from, by component/item; scheduled only: others are their own run's
    input       text, -- JSON, as is the answer
    answer      text,
    error       text,
    started_at  timestamptz,
    ended_at    timestamptz,
    PRIMARY KEY (run_id, component, item)
);

CREATE INDEX IF NOT EXISTS steps_open ON steps (run_id) WHERE state NOT IN ('done', 'reused');
CREATE INDEX IF NOT EXISTS steps_ready ON steps (component, ready_at) WHERE state = 'ready';

CREATE TABLE IF NOT EXISTS attempts (
    run_id     text NOT NULL,
    component  text NOT NULL,
    item       text NOT NULL,
    fence      integer NOT NULL,
    generation integer NOT NULL,
    attempt    integer NOT NULL,
    mode       text NOT NULL DEFAULT 'normal',
    worker     text NOT NULL,
    log        text NOT NULL, -- where its log lines are
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    outcome    text, -- done or failed; null while it runs
    error      text,
    cause      text,
    PRIMARY KEY (run_id, component, item, fence)
);

CREATE TABLE IF NOT EXISTS workers (
    worker     text PRIMARY KEY,
    component  text NOT NULL,
    version    text NOT NULL,
    pid        integer NOT NULL,
    log        text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    calls      jsonb NOT NULL DEFAULT '{}' -- API calls and messages since it started, by service and operation
);

-- Columns that came later, for databases made before them.
ALTER TABLE runs ADD COLUMN IF NOT EXISTS degraded boolean NOT NULL DEFAULT false;
ALTER TABLE steps ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'normal';
ALTER TABLE attempts ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'normal';
ALTER TABLE steps ADD COLUMN IF NOT EXISTS inputs_from jsonb;
ALTER TABLE runs ADD COLUMN IF NOT EXISTS parent text;
CREATE INDEX IF NOT EXISTS runs_nested ON runs (parent) WHERE parent IS NOT NULL;
