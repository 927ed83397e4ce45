-- What planners and downstream systems read: versioned rows, and one pointer per pipeline to the current version.

CREATE TABLE IF NOT EXISTS publications (
    run_id       text PRIMARY KEY,
    pipeline     text NOT NULL,
    date         date NOT NULL,
    sha256       text NOT NULL, -- of the canonical content, the CSV file
    rows         integer NOT NULL,
    uri          text NOT NULL, -- Parquet
    csv_uri      text NOT NULL,
    degraded     jsonb NOT NULL DEFAULT '[]', -- what was replaced by what, and why: contracts.message.Replacement
    published_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS published_forecasts (
    run_id  text NOT NULL REFERENCES publications,
    week    date NOT NULL,
    factory text NOT NULL,
    kind    text NOT NULL, -- recipe or ingredient
    name    text NOT NULL,
    unit    text NOT NULL,
    mean    double precision NOT NULL,
    p10     double precision NOT NULL,
    p50     double precision NOT NULL,
    p90     double precision NOT NULL,
    PRIMARY KEY (run_id, week, factory, kind, name)
);

-- Each factory's orders of all recipes together: quantiles of the totals, which those of the rows above do not give.
CREATE TABLE IF NOT EXISTS published_totals (
    run_id  text NOT NULL REFERENCES publications,
    week    date NOT NULL,
    factory text NOT NULL,
    unit    text NOT NULL,
    mean    double precision NOT NULL,
    p10     double precision NOT NULL,
    p50     double precision NOT NULL,
    p90     double precision NOT NULL,
    PRIMARY KEY (run_id, week, factory)
);

CREATE TABLE IF NOT EXISTS current_publication (
    pipeline text PRIMARY KEY,
    run_id   text NOT NULL REFERENCES publications
);

-- A column that came later, for databases made before it.
ALTER TABLE publications ADD COLUMN IF NOT EXISTS degraded jsonb NOT NULL DEFAULT '[]';
