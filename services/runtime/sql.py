"""The statements of the step store. Each is atomic by itself; store.py and commit.py say which go together."""

RUN = """
SELECT r.style, r.request, r.traceparent, r.started_at, g.body
FROM runs r JOIN graphs g ON g.digest = r.graph
WHERE r.run_id = %(run_id)s
"""

# A step that has lost so many workers as `losses` is left where it is; null takes any.
# Several at once, as a JSON list. Rows are locked in one order, so that workers that want the same ones do not deadlock.
CLAIM = """
WITH asked AS (
    SELECT * FROM json_to_recordset(%(asked)s) AS a (
        run_id text, component text, item text, name text, log text, version text, lease integer, token text, input text,
        mode text, losses integer
    )
), free AS (
    SELECT a.*, r.generation
    FROM asked a JOIN steps s USING (run_id, component, item, version) JOIN runs r USING (run_id)
    WHERE (s.state IN ('waiting', 'ready') OR (s.state = 'claimed' AND s.lease_until < now())) AND r.status = 'RUNNING'
      AND CASE WHEN s.attempt >= a.losses THEN a.losses > (
          SELECT count(*) FROM attempts l
          WHERE l.run_id = s.run_id AND l.component = s.component AND l.item = s.item
            AND l.generation = r.generation AND l.mode = s.mode AND (l.error = 'WorkerLost' OR l.ended_at IS NULL)
      ) ELSE true END
    ORDER BY s.run_id, s.component, s.item
    FOR UPDATE OF s
), claimed AS (
    UPDATE steps s
    SET state = 'claimed', owner = f.name, fence = s.fence + 1, attempt = s.attempt + 1, started_at = now(),
        lease_until = now() + make_interval(secs => f.lease), token = coalesce(f.token, s.token),
        input = f.input, error = NULL, mode = CASE f.mode WHEN 'fallback' THEN f.mode ELSE s.mode END
    FROM free f
    WHERE s.run_id = f.run_id AND s.component = f.component AND s.item = f.item
    RETURNING s.run_id, s.component, s.item, s.fence, s.attempt, s.mode, f.generation, f.name, f.log
), lost AS (
    UPDATE attempts a SET ended_at = now(), outcome = 'failed', error = 'WorkerLost', cause = 'its lease ran out'
    FROM claimed c
    WHERE a.run_id = c.run_id AND a.component = c.component AND a.item = c.item AND a.ended_at IS NULL
), logged AS (
    INSERT INTO attempts (run_id, component, item, fence, generation, attempt, mode, worker, log)
    SELECT run_id, component, item, fence, generation, attempt, mode, name, log FROM claimed
)
SELECT c.run_id, c.component, c.item, c.fence, c.attempt, c.mode, CASE c.mode WHEN 'fallback' THEN (
    SELECT a.error || ': ' || a.cause FROM attempts a
    WHERE a.run_id = c.run_id AND a.component = c.component AND a.item = c.item
      AND a.mode = 'normal' AND a.outcome = 'failed' AND a.error <> 'GivenBack'
    ORDER BY a.fence DESC LIMIT 1
) END AS failure
FROM claimed c
"""

LOOK = """
UPDATE steps s SET token = coalesce(%(token)s, s.token)
FROM runs r
WHERE s.run_id = %(run_id)s AND s.component = %(component)s AND s.item = %(item)s AND r.run_id = s.run_id
RETURNING s.state, s.version, s.answer, r.status, extract(epoch FROM s.lease_until - now()) AS seconds_left,
          s.state IN ('waiting', 'ready') OR (s.state = 'claimed' AND s.lease_until < now()) AS free
"""

# Several at once, as above.
STORE_ANSWERS = """
WITH asked AS (
    SELECT * FROM json_to_recordset(%(asked)s) AS a (run_id text, component text, item text, fence integer, answer text)
), held AS (
    SELECT a.*
    FROM asked a JOIN steps s USING (run_id, component, item, fence)
    WHERE s.state = 'claimed'
    ORDER BY s.run_id, s.component, s.item
    FOR UPDATE OF s
), done AS (
    UPDATE steps s SET state = 'done', answer = h.answer, ended_at = now(), owner = NULL, lease_until = NULL
    FROM held h
    WHERE s.run_id = h.run_id AND s.component = h.component AND s.item = h.item
    RETURNING s.run_id, s.component, s.item, s.fence, s.token
), logged AS (
    UPDATE attempts a SET ended_at = now(), outcome = 'done'
    FROM done d
    WHERE a.run_id = d.run_id AND a.component = d.component AND a.item = d.item AND a.fence = d.fence
)
SELECT run_id, component, item, token FROM done
"""

LOCK_RUN = "SELECT status FROM runs WHERE run_id = %(run_id)s FOR UPDATE"

INSERT_STEP = """
INSERT INTO steps (run_id, component, item, version, position, state, needs, answer)
VALUES (%(run_id)s, %(component)s, %(item)s, %(version)s, %(position)s, %(state)s, %(needs)s, %(answer)s)
ON CONFLICT DO NOTHING
"""

SUCCEED_RUN = """
UPDATE runs SET status = 'SUCCEEDED', ended_at = now(), degraded = EXISTS (
    SELECT 1 FROM steps WHERE run_id = %(run_id)s AND answer::jsonb ? 'degraded'
)
WHERE run_id = %(run_id)s AND status = 'RUNNING'
  AND NOT EXISTS (SELECT 1 FROM steps WHERE run_id = %(run_id)s AND state NOT IN ('done', 'reused'))
RETURNING degraded, extract(epoch FROM ended_at - started_at) AS seconds
"""

# Of clocks: with the answers of these components, each of which has steps by then, whatever became of others.
SUCCEED_SCHEDULED = """
UPDATE runs SET status = 'SUCCEEDED', ended_at = now(), degraded = EXISTS (
    SELECT 1 FROM steps WHERE run_id = %(run_id)s AND answer::jsonb ? 'degraded'
)
WHERE run_id = %(run_id)s AND status = 'RUNNING' AND NOT EXISTS (
    SELECT 1 FROM unnest(%(ends_with)s::text[]) AS last (component)
    LEFT JOIN steps s ON s.run_id = %(run_id)s AND s.component = last.component
    WHERE s.state IS NULL OR s.state NOT IN ('done', 'reused')
)
RETURNING degraded, extract(epoch FROM ended_at - started_at) AS seconds
"""

LOCK_CLAIM = """
SELECT 1 FROM steps
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s AND state = 'claimed' AND fence = %(fence)s
FOR UPDATE
"""

FAIL_ATTEMPT = """
UPDATE attempts SET ended_at = now(), outcome = 'failed', error = %(error)s, cause = %(cause)s
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s AND fence = %(fence)s
"""

COUNT_FAILURES = """
SELECT count(*) AS failures
FROM attempts a JOIN runs r USING (run_id) JOIN steps s USING (run_id, component, item)
WHERE a.run_id = %(run_id)s AND a.component = %(component)s AND a.item = %(item)s
  AND a.generation = r.generation AND a.mode = s.mode AND a.error = ANY (%(errors)s)
"""

RELEASE_STEP = """
UPDATE steps SET state = 'ready', mode = %(mode)s, error = %(error)s, owner = NULL, lease_until = NULL,
                 ready_at = now() + make_interval(secs => %(delay)s)
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s
"""

GIVE_BACK = """
WITH ended AS (
    UPDATE attempts SET ended_at = now(), outcome = 'failed', error = 'GivenBack', cause = %(cause)s
    WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s AND fence = %(fence)s
      AND ended_at IS NULL
)
UPDATE steps SET state = 'ready', owner = NULL, lease_until = NULL, ready_at = now()
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s AND state = 'claimed' AND fence = %(fence)s
RETURNING 1
"""

FAIL_STEP = """
UPDATE steps SET state = 'failed', error = %(error)s, ended_at = now(), owner = NULL, lease_until = NULL
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s
"""

FAIL_RUN = """
UPDATE runs SET status = 'FAILED', cause = %(cause)s, ended_at = now()
WHERE run_id = %(run_id)s AND status = 'RUNNING'
RETURNING extract(epoch FROM ended_at - started_at) AS seconds
"""

# A row that is locked is one that is being committed, or claimed by another: it is not waited for, and as it was before.
EXTEND = """
WITH held AS (
    SELECT * FROM unnest(%(runs)s::text[], %(components)s::text[], %(items)s::text[], %(fences)s::integer[])
        AS h (run_id, component, item, fence)
), free AS (
    SELECT s.run_id, s.component, s.item
    FROM steps s JOIN held USING (run_id, component, item, fence)
    WHERE s.state = 'claimed'
    FOR UPDATE OF s SKIP LOCKED
), renewed AS (
    UPDATE steps s SET lease_until = now() + make_interval(secs => %(lease)s)
    FROM free f
    WHERE s.run_id = f.run_id AND s.component = f.component AND s.item = f.item
)
SELECT s.run_id, s.component, s.item, s.token
FROM steps s JOIN held USING (run_id, component, item, fence)
WHERE s.state = 'claimed'
"""

# A repeat of the event finds the steps it made ready again, even one that waited for their rows while another made them so.
FEED = """
WITH fed AS (
    UPDATE steps s
    SET state = CASE s.state WHEN 'waiting' THEN 'ready' ELSE s.state END, ready_by = %(event)s,
        ready_at = CASE s.state WHEN 'waiting' THEN now() ELSE s.ready_at END
    WHERE s.run_id = %(run_id)s AND s.component = %(component)s AND s.version = %(version)s
      AND (s.ready_by = %(event)s OR (
          s.state = 'waiting' AND %(producer)s = ANY (s.needs) AND NOT EXISTS (
              SELECT 1 FROM unnest(s.needs) AS need
              LEFT JOIN steps needed ON needed.run_id = s.run_id AND needed.component || '/' || needed.item = need
              WHERE needed.state IS NULL OR needed.state NOT IN ('done', 'reused')
          )
      ))
    RETURNING s.item, s.position
)
SELECT item FROM fed ORDER BY position
"""

ANSWERS = """
SELECT n.component, n.item, n.answer
FROM steps s JOIN steps n ON n.run_id = s.run_id
WHERE s.run_id = %(run_id)s AND s.component = %(component)s AND s.item = %(item)s AND n.answer IS NOT NULL
  AND (n.component || '/' || n.item = ANY (s.needs) OR (n.component = %(planner)s AND n.item = %(whole)s))
"""

# The newest answer of each step of these components, of any run of the same graph that was started by clocks.
LATEST = """
SELECT DISTINCT ON (s.component, s.item) s.component, s.item, s.answer, s.run_id
FROM runs mine JOIN runs r ON r.graph = mine.graph JOIN steps s ON s.run_id = r.run_id
WHERE mine.run_id = %(run_id)s AND r.style = 'scheduled' AND s.state = 'done' AND s.component = ANY (%(components)s)
ORDER BY s.component, s.item, s.ended_at DESC
"""

# Again when its message comes again: what is there to read may be newer by then.
START = """
UPDATE steps SET state = 'ready', ready_at = coalesce(ready_at, now()), inputs_from = %(inputs_from)s
WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s AND state IN ('waiting', 'ready')
"""

# A step that could not even be assembled: its failure is there to be seen, as any attempt's.
NOT_STARTED = """
WITH failed AS (
    INSERT INTO steps (run_id, component, item, version, position, state, error, ended_at)
    VALUES (%(run_id)s, %(component)s, %(item)s, %(version)s, %(position)s, 'failed', %(error)s, now())
    ON CONFLICT (run_id, component, item) DO UPDATE SET state = 'failed', error = excluded.error, ended_at = now()
    WHERE steps.state IN ('waiting', 'ready')
)
INSERT INTO attempts (run_id, component, item, fence, generation, attempt, worker, log, ended_at, outcome, error, cause)
VALUES (%(run_id)s, %(component)s, %(item)s, 0, 1, 1, %(name)s, %(log)s, now(), 'failed', %(error)s, %(cause)s)
ON CONFLICT DO NOTHING
"""

# `event` is the version on top of the answer; it has others beside it, under their names.
EARLIER_RESULT = """
WITH given AS MATERIALIZED ( -- once a graph, not once a run
    SELECT g.digest AS graph, node->>'event' AS event
    FROM graphs g CROSS JOIN json_array_elements(g.body::json->'nodes') AS node
    WHERE node->>'component' = %(component)s
)
SELECT r.run_id, r.date, s.answer, given.event
FROM runs r JOIN steps s USING (run_id) JOIN given USING (graph)
WHERE r.pipeline = %(pipeline)s AND r.status = 'SUCCEEDED' AND r.style <> 'scheduled' -- perhaps made from stale inputs
  AND r.date < %(before)s AND r.started_at >= %(since)s
  AND s.component = %(component)s AND s.item = %(item)s AND s.state IN ('done', 'reused')
  AND NOT s.answer::jsonb ? 'degraded'
  AND NOT EXISTS (
      SELECT 1 FROM unnest(%(versions)s::text[]) AS version WHERE version <> given.event AND NOT s.answer::jsonb ? version
  )
ORDER BY r.date DESC, r.ended_at DESC
LIMIT 1
"""

# A step is forgotten when it has been ready, without a live owner, or waiting with all its needs answered for too long.
FORGOTTEN = """
UPDATE steps SET ready_at = now(), state = CASE state WHEN 'waiting' THEN 'ready' ELSE state END
WHERE (run_id, component, item) IN (
    SELECT s.run_id, s.component, s.item
    FROM steps s JOIN runs r USING (run_id)
    WHERE s.component = %(component)s AND s.version = %(version)s AND s.state IN ('waiting', 'ready', 'claimed')
      AND r.status = 'RUNNING' AND r.style = 'choreographed'
      AND CASE s.state WHEN 'waiting' THEN (
          SELECT CASE WHEN bool_and(coalesce(n.state IN ('done', 'reused'), false))
                      THEN max(coalesce(n.ended_at, '-infinity')) END
          FROM unnest(s.needs) AS need LEFT JOIN steps n ON n.run_id = s.run_id AND n.component || '/' || n.item = need
      ) ELSE greatest(s.ready_at, s.lease_until) END < now() - make_interval(secs => %(stale)s)
    LIMIT 100
    FOR UPDATE OF s SKIP LOCKED
)
RETURNING run_id, item
"""

OVERDUE = """
SELECT run_id FROM runs
WHERE status = 'RUNNING' AND deadline < now()
LIMIT 20
FOR UPDATE SKIP LOCKED
"""

MISSING = """
SELECT string_agg(component || '/' || item || ' (' || state || ')', ', ' ORDER BY position) AS missing
FROM steps WHERE run_id = %(run_id)s AND state NOT IN ('done', 'reused')
"""

# Young executions are left alone; `checked_at` spreads the questions over the workers.
UNCHECKED_EXECUTIONS = """
UPDATE runs SET checked_at = now()
WHERE run_id IN (
    SELECT run_id FROM runs
    WHERE status = 'RUNNING' AND execution IS NOT NULL AND started_at < now() - interval '15 seconds'
      AND (checked_at IS NULL OR checked_at < now() - interval '15 seconds')
    LIMIT 20
    FOR UPDATE SKIP LOCKED
)
RETURNING run_id, execution
"""

LOCK_EXECUTION = """
SELECT 1 FROM runs WHERE run_id = %(run_id)s AND execution = %(execution)s AND status = 'RUNNING' FOR UPDATE
"""

REPORT = """
INSERT INTO workers (worker, component, version, pid, log, calls)
VALUES (%(name)s, %(component)s, %(version)s, %(pid)s, %(log)s, %(calls)s)
ON CONFLICT (worker) DO UPDATE SET seen_at = now(), calls = excluded.calls
"""
