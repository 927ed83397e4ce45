"""Tables as deterministic Parquet bytes, and references to them."""

import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.errors import ContractViolation
from contracts.message import DatasetRef

DIGITS = 9


def rounded(table: pa.Table) -> pa.Table:
    """Its floating-point numbers to nine significant digits, correctly rounded.

    For what comes out of logarithms, exponentials and powers: the C libraries of two systems differ in their last bit. What
    draws random numbers by it would draw others, and the publication would not be the same everywhere.
    """
    for at, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            values = [value if value is None else float(f"{value:.{DIGITS - 1}e}") for value in table[at].to_pylist()]
            table = table.set_column(at, field, pa.array(values, field.type))
    return table


def encode(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def reference(uri: str, table: pa.Table, body: bytes, schema_version: int) -> DatasetRef:
    digest = hashlib.sha256(body).hexdigest()
    return DatasetRef(uri=uri, rows=table.num_rows, sha256=digest, schema_version=schema_version)


def decode(ref: DatasetRef, body: bytes) -> pa.Table:
    """Raises ContractViolation when the bytes are not those the reference was made for."""
    if hashlib.sha256(body).hexdigest() != ref.sha256:
        raise ContractViolation(
            f"{ref.uri} is not the file its reference was made for: run the step that wrote it again"
        )
    return pq.read_table(io.BytesIO(body), use_threads=False)
