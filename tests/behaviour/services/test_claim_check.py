"""An earlier result counts only while the files it refers to are there."""

import asyncio

import boto3
import pyarrow as pa
import pytest
from aiobotocore.session import get_session

from contracts.errors import DataGone
from services.runtime.claim_check import Bridge, S3Files


async def test_an_answer_has_all_its_files_until_one_is_deleted(aws: str) -> None:
    boto3.client("s3").create_bucket(Bucket="kitchen")
    async with get_session().create_client("s3") as s3:
        files = S3Files(s3, "kitchen", Bridge(asyncio.get_running_loop()))
        ref = await asyncio.to_thread(files.write, "c/r/i/table.parquet", pa.table({"a": [1]}), 1)
        answer = {"factory": "B", "network": ref.model_dump(mode="json"), "also": [{"uri": ref.uri}]}
        assert await asyncio.to_thread(files.has_all, answer)
        assert await asyncio.to_thread(files.has_all, {"factory": "B"})
        await s3.delete_object(Bucket="kitchen", Key="c/r/i/table.parquet")
        assert not await asyncio.to_thread(files.has_all, answer)
        with pytest.raises(DataGone, match="is gone: redrive the run"):
            await asyncio.to_thread(files.read, ref)
        assert not await asyncio.to_thread(files.has_all, {"network": {"uri": "s3://no-such-bucket/table.parquet"}})
