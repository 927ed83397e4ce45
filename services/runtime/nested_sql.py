"""The statements of nested runs. Each is atomic by itself; nested.py says which go together."""

FIND_NESTED = """
SELECT r.status, r.style, r.generation, r.request, r.traceparent, g.body AS graph, m.version
FROM runs r JOIN graphs g ON g.digest = r.graph
LEFT JOIN state_machines m ON m.graph = r.graph AND m.machine = %(machine)s
WHERE r.run_id = %(run_id)s
"""

IS_PUBLISHED = "SELECT 1 FROM state_machines WHERE machine = %(machine)s AND graph = %(graph)s"

# In the style that the parent has now: a redrive may have changed it.
INSERT_NESTED = """
INSERT INTO runs (run_id, parent, pipeline, style, date, request, graph, traceparent, deadline)
SELECT %(run_id)s, p.run_id, %(pipeline)s, CASE p.style WHEN 'orchestrated' THEN p.style ELSE 'choreographed' END, p.date,
       %(request)s, %(graph)s, p.traceparent, now() + make_interval(secs => %(deadline)s)
FROM runs p WHERE p.run_id = %(parent)s
ON CONFLICT DO NOTHING
"""

READY_FIRST = """
UPDATE steps SET state = 'ready', ready_at = now()
WHERE run_id = %(run_id)s AND component = %(component)s AND state = 'waiting'
"""

NAME_EXECUTION = """
UPDATE runs SET execution = %(execution)s, checked_at = now()
WHERE run_id = %(run_id)s AND generation = %(generation)s AND execution IS NULL AND style = 'orchestrated'
"""

ANSWERS_OF = """
SELECT component, item, answer FROM steps
WHERE run_id = %(run_id)s AND component = ANY (%(components)s) AND state IN ('done', 'reused')
"""

# The lock of whoever sets the parent going (orchestrator/start.py, `one_at_a_time`).
LOCK_PARENT = "SELECT pg_try_advisory_xact_lock(hashtextextended('brigade run ' || %(parent)s::text, 0)) AS free"

END_WITH_PARENT = """
UPDATE runs n SET status = 'FAILED', ended_at = now(), cause = 'run ' || p.run_id || ', which it is part of, is ' || p.status
FROM runs p
WHERE n.run_id = %(run_id)s AND n.status = 'RUNNING' AND p.run_id = n.parent AND p.status <> 'RUNNING'
"""

LOOK_AT_NESTED = """
SELECT r.status, r.cause, r.parent, p.status AS parent_status, s.answer
FROM runs r JOIN runs p ON p.run_id = r.parent
LEFT JOIN steps s ON s.run_id = r.run_id AND s.component = %(last)s AND s.item = %(whole)s
WHERE r.run_id = %(run_id)s
"""
