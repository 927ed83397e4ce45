"""The kinds of resources, by the names that the operations give them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`arn` is the part of the ARN, `job` says whether making one takes a job, `listed` is the list's member.

    `quota` is how many an account has at most in a region, and `parallel` how many of its jobs are under way at most:
    AWS's defaults (https://docs.aws.amazon.com/forecast/latest/dg/limits.html).
    """

    name: str
    arn: str
    listed: str
    quota: int
    job: bool = True
    parallel: int = 3

    @property
    def arn_member(self) -> str:
        return f"{self.name}Arn"

    @property
    def name_member(self) -> str:
        return f"{self.name}Name"


DATASET_GROUP = Kind("DatasetGroup", "dataset-group", "DatasetGroups", 500, job=False)
DATASET = Kind("Dataset", "dataset", "Datasets", 500, job=False)
IMPORT = Kind("DatasetImportJob", "dataset-import-job", "DatasetImportJobs", 1000)
PREDICTOR = Kind("Predictor", "predictor", "Predictors", 500)
FORECAST = Kind("Forecast", "forecast", "Forecasts", 500)
EXPORT = Kind("ForecastExportJob", "forecast-export-job", "ForecastExportJobs", 1000)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (DATASET_GROUP, DATASET, IMPORT, PREDICTOR, FORECAST, EXPORT)}
