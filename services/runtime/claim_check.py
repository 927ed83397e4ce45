"""Large data in S3, for handlers that run on other threads than the event loop's."""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlparse

import pyarrow as pa
from botocore.exceptions import ClientError

from contracts.errors import DataGone
from contracts.message import DatasetRef, files_of
from services.runtime import parquet

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

T = TypeVar("T")
Json = dict[str, Any]


class Bridge:
    """Runs coroutines of the worker's event loop for a handler's thread, which waits for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class S3Files:
    def __init__(self, s3: "S3Client", bucket: str, bridge: Bridge) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._bridge = bridge

    def read(self, ref: DatasetRef) -> pa.Table:
        return parquet.decode(ref, self._bridge.wait_for(self._get(ref.uri)))

    def write(self, name: str, table: pa.Table, schema_version: int) -> DatasetRef:
        body = parquet.encode(table)
        uri = self.write_bytes(name, body, "application/vnd.apache.parquet")
        return parquet.reference(uri, table, body, schema_version)

    def write_bytes(self, name: str, body: bytes, content_type: str) -> str:
        self._bridge.wait_for(self._put(name, body, content_type))
        return f"s3://{self._bucket}/{name}"

    def folder(self, name: str) -> str:
        return f"s3://{self._bucket}/{name}/"

    def read_folder(self, uri: str) -> dict[str, bytes]:
        return self._bridge.wait_for(self._get_all(uri))

    def has_all(self, output: Json) -> bool:
        """Whether every file that an answer refers to is still there."""
        return all(self._bridge.wait_for(self._exists(uri)) for uri in files_of(output))

    async def _exists(self, uri: str) -> bool:
        place = urlparse(uri)
        try:
            await self._s3.head_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        except ClientError as error:
            if not _is_missing(error):
                raise
            return False
        return True

    async def _get(self, uri: str) -> bytes:
        place = urlparse(uri)
        try:
            answer = await self._s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise DataGone(
                f"{uri} is gone: redrive the run, which makes such files again, or start a new one"
            ) from error
        async with answer["Body"] as stream:
            return await stream.read()

    async def _get_all(self, uri: str) -> dict[str, bytes]:
        place = urlparse(uri)
        prefix = place.path.lstrip("/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=prefix)
        keys = [each["Key"] async for page in pages for each in page.get("Contents", ())]
        return {key.removeprefix(prefix): await self._get(f"s3://{place.netloc}/{key}") for key in keys}

    async def _put(self, key: str, body: bytes, content_type: str) -> None:
        await self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)


def _is_missing(error: ClientError) -> bool:
    return error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND
