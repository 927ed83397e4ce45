"""What steps have Amazon Forecast's API make. Nothing here knows its client.

What makes a resource's content, a file, is a function: it is called only when the resource is not there yet.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_NAME = 63
_DIGEST = 12
_ODD = re.compile("[^a-zA-Z0-9]+")

TARGET, RELATED = "TARGET_TIME_SERIES", "RELATED_TIME_SERIES"

WriteFile = Callable[[], str]
"""Gives the file's URI."""


@dataclass(frozen=True)
class DatasetGroup:
    name: str

    @property
    def label(self) -> str:
        return f"dataset group {self.name}"


@dataclass(frozen=True)
class Dataset:
    """Weekly series. `columns` has the type of each, in the order of the files."""

    name: str
    kind: str
    columns: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"dataset {self.name}"


@dataclass(frozen=True)
class DatasetImport:
    """A CSV file's rows, as the whole content of a dataset."""

    name: str
    dataset: str
    file: WriteFile

    @property
    def label(self) -> str:
        return f"dataset import job {self.name}"


@dataclass(frozen=True)
class Predictor:
    """Trained on the datasets, which become those of the group, for so many weeks ahead."""

    name: str
    group: str
    datasets: tuple[str, ...]
    horizon: int

    @property
    def label(self) -> str:
        return f"predictor {self.name}"


@dataclass(frozen=True)
class Forecast:
    """Of the items that the file names, one in a row."""

    name: str
    predictor: str
    items: WriteFile

    @property
    def label(self) -> str:
        return f"forecast {self.name}"


@dataclass(frozen=True)
class Export:
    """A forecast as CSV files in a folder."""

    name: str
    forecast: str
    folder: str

    @property
    def label(self) -> str:
        return f"forecast export job {self.name}"


Resource = DatasetGroup | Dataset | DatasetImport | Predictor | Forecast | Export


def resource_name(*parts: str) -> str:
    """One that the API takes: the same parts give the same name, others another. The first begins with a letter."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGEST]
    return f"{_ODD.sub('_', '_'.join(parts))[: LONGEST_NAME - _DIGEST - 1]}_{digest}"
