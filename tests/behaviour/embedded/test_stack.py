"""A real LocalStack and a real PostgreSQL, as `brigade up` starts them."""

import boto3
import psycopg

from orchestrator.embedded.stack import Endpoints


def test_the_session_stack_answers(stack: Endpoints, aws: str, database_url: str) -> None:
    queue = boto3.client("sqs").create_queue(QueueName="hello")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    assert queue.startswith(aws)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
