"""What steps have Amazon Forecast's API make. Nothing here knows its client.

What makes a resource's content, a file, is a function: it is called only when the resource is not there yet.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

LONGEST_NAME = 63
_DIGEST = 12
_ODD = re.compile("[^a-zA-Z0-9]+")

TARGET, RELATED = "TARGET_TIME_SERIES", "RELATED_TIME_SERIES"

WriteFile = Callable[[], str]
"""Gives the file's URI."""


@dataclass(frozen=True)
class Named:
    called: ClassVar[str]

    name: str

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.called} {self.name}"


@dataclass(frozen=True)
class DatasetGroup(Named):
    called = "dataset group"


@dataclass(frozen=True)
class Dataset(Named):
    """Weekly series. `columns` has the type of each, in the order of the files."""

    called = "dataset"

    kind: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class DatasetImport(Named):
    """A CSV file's rows, as the whole content of a dataset."""

    called = "dataset import job"

    dataset: str
    file: WriteFile


@dataclass(frozen=True)
class Predictor(Named):
    """Trained on the datasets, which become those of the group, for so many weeks ahead."""

    called = "predictor"

    group: str
    datasets: tuple[str, ...]
    horizon: int


@dataclass(frozen=True)
class Forecast(Named):
    """Of the items that the file names, one in a row."""

    called = "forecast"

    predictor: str
    items: WriteFile


@dataclass(frozen=True)
class Export(Named):
    """A forecast as CSV files in a folder."""

    called = "forecast export job"

    forecast: str
    folder: str


Resource = DatasetGroup | Dataset | DatasetImport | Predictor | Forecast | Export


def resource_name(*parts: str) -> str:
    """One that the API takes: the same parts give the same name, others another. The first begins with a letter."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGEST]
    return f"{_ODD.sub('_', '_'.join(parts))[: LONGEST_NAME - _DIGEST - 1]}_{digest}"
