"""Faults on purpose: a fixture pipeline on the real runtime, and ways to break everything around it.

A test in `tests/faults` takes the fixture `stage` (chaos/stage.py): a stack of its own with a worker process at each place
(`chaos-cook/1`), restored before each test, whose queues must be empty after it.

    def test_x(stage: Stage, style: str) -> None:
        stage.faults.plant(Fault("handled", "kill", "chaos-cook"))      # before the run, or while it is under way
        run_id = stage.start(style)
        stage.until("the death of a cook", stage.fleet.dead)             # never sleep: wait for what can be seen
        stage.fleet.start(*stage.fleet.dead())
        assert stage.ended(run_id)["status"] == "SUCCEEDED"
        assert stage.published(run_id) == [stage.right_hash]

Inside a worker (chaos/faults.py, hooks.py): `Fault(point, deed, component, item, run)`. `wait` holds a handler as long as
`with stage.faults.closed_gate():` lasts, at most its timeout of 5 s; `stage.faults.taken()` shows that a fault has happened.

Between workers and LocalStack (chaos/proxy.py, api.py): `stage.network.hold()`, `refuse()`, `drop()`, `slow(s)`,
`restore()`; `stage.api.refuse(Rule("s3", share=0.5))` answers 503 SlowDown, `Rule("states", "SendTaskSuccess", times=1,
lose_answer=True)` carries a call out and loses its answer, `stage.api.disorder = 0.2` repeats and reorders deliveries;
`stage.api.calls` counts calls by service and operation (S3's are GET, PUT, HEAD).

Between workers and PostgreSQL: `stage.database`, the same kind of line, with `trap(b"COMMIT", seen_by_server=True)`. The
driver's own `stage.connection` and `stage.aws` pass none of these.

`stage.lose_localstack()` kills LocalStack and starts one that knows nothing; `stage.deploy()` makes the queues again.

Processes (chaos/fleet.py): `stage.fleet.kill(place)`, `signal(place, SIGTERM)`, `dead()`, `replace_dead()`, `stop([place])`,
`start(place, extra={"FAKETIME": "+5m"})`.

`python -m chaos` drives many runs under a seeded mix of all this, and prints the table of docs/faults.md.
"""
