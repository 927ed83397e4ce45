"""What a predictor is to do, from either of the two operations that make one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.forecast_api.errors import InvalidInput
from services.forecast_api.frequency import Frequency, parse

Json = dict[str, Any]

DEFAULT_TYPES = ("0.1", "0.5", "0.9")
MEAN = "mean"
MOST_TYPES, MOST_WINDOWS, LONGEST_HORIZON = 5, 5, 500

AGGREGATIONS = ("sum", "avg", "first", "min", "max")
FILLINGS = ("zero", "nan", "value", "median", "mean", "min", "max")
FILLED = ("middlefill", "backfill", "futurefill")

UNSERVED = ("ExplainPredictor", "MonitorConfig")


@dataclass(frozen=True)
class Plan:
    """`horizon` and `offset` are in steps, `filling` has the methods by attribute, `longest` is the part of the target's
    length that a horizon may have."""

    dataset_group: str
    horizon: int
    types: tuple[str, ...]
    dimensions: tuple[str, ...]
    frequency: Frequency
    filling: Mapping[str, Mapping[str, str]]
    windows: int
    offset: int
    longest: float


def plan_of(request: Json) -> Plan:
    """Raises InvalidInput when the request, which fits the service model, cannot be served."""
    plan = _legacy(request) if "FeaturizationConfig" in request else _auto(request)
    if not 1 <= plan.horizon <= LONGEST_HORIZON:
        raise InvalidInput(f"ForecastHorizon is between 1 and {LONGEST_HORIZON}")
    if not 1 <= plan.windows <= MOST_WINDOWS:
        raise InvalidInput(f"EvaluationParameters.NumberOfBacktestWindows is between 1 and {MOST_WINDOWS}")
    if plan.offset < plan.horizon:
        raise InvalidInput("EvaluationParameters.BackTestWindowOffset is not less than ForecastHorizon")
    for attribute, methods in plan.filling.items():
        _check_filling(attribute, methods)
    return plan


def types_of(given: list[str] | None) -> tuple[str, ...]:
    """Quantiles as `0.1`, and `mean`. Raises InvalidInput for too many, or one twice."""
    types = tuple(each if each == MEAN else f"{float(each):g}" for each in given or DEFAULT_TYPES)
    if len(types) > MOST_TYPES or len(set(types)) < len(types) or "0" in types:
        raise InvalidInput(f"ForecastTypes are up to {MOST_TYPES} different ones from 0.01 to 0.99, and mean")
    return types


def label(forecast_type: str) -> str:
    """Its name in files and answers: p10 of 0.1."""
    return forecast_type if forecast_type == MEAN else f"p{round(float(forecast_type) * 100)}"


def _auto(request: Json) -> Plan:
    for name in ("ForecastHorizon", "ForecastFrequency", "DataConfig"):
        if request.get(name) is None:
            raise InvalidInput(f"{name} is missing: a predictor without a ReferencePredictorArn has one")
    if any(request.get(name) for name in UNSERVED) or request["DataConfig"].get("AdditionalDatasets"):
        raise InvalidInput("ExplainPredictor, MonitorConfig and AdditionalDatasets are not served: leave them out")
    configs = request["DataConfig"].get("AttributeConfigs") or ()
    horizon: int = request["ForecastHorizon"]
    return Plan(
        dataset_group=request["DataConfig"]["DatasetGroupArn"],
        horizon=horizon,
        types=types_of(request.get("ForecastTypes")),
        dimensions=tuple(request.get("ForecastDimensions") or ()),
        frequency=parse(request["ForecastFrequency"], request.get("TimeAlignmentBoundary")),
        filling={each["AttributeName"]: each["Transformations"] for each in configs},
        windows=1,
        offset=horizon,
        longest=1 / 3 if request.get("ReferencePredictorArn") else 1 / 4,
    )


def _legacy(request: Json) -> Plan:
    if not request.get("PerformAutoML") and not request.get("AlgorithmArn"):
        raise InvalidInput("AlgorithmArn is missing: a predictor without PerformAutoML has one")
    if request["InputDataConfig"].get("SupplementaryFeatures"):
        raise InvalidInput("SupplementaryFeatures are not served: leave them out")
    featured = request["FeaturizationConfig"]
    evaluated: Json = request.get("EvaluationParameters") or {}
    horizon: int = request["ForecastHorizon"]
    filling = {
        each["AttributeName"]: pipeline[0].get("FeaturizationMethodParameters") or {}
        for each in featured.get("Featurizations") or ()
        if (pipeline := each.get("FeaturizationPipeline"))
    }
    return Plan(
        dataset_group=request["InputDataConfig"]["DatasetGroupArn"],
        horizon=horizon,
        types=types_of(request.get("ForecastTypes")),
        dimensions=tuple(featured.get("ForecastDimensions") or ()),
        frequency=parse(featured["ForecastFrequency"]),
        filling=filling,
        windows=evaluated.get("NumberOfBacktestWindows", 1),
        offset=evaluated.get("BackTestWindowOffset", horizon),
        longest=1 / 3,
    )


def _check_filling(attribute: str, methods: Mapping[str, str]) -> None:
    known = {"aggregation", "frontfill", *FILLED, *(f"{each}_value" for each in FILLED)}
    if unknown := sorted(set(methods) - known):
        raise InvalidInput(f"{attribute}: there is no transformation {unknown[0]}")
    if methods.get("aggregation", "sum") not in AGGREGATIONS:
        raise InvalidInput(f"{attribute}: aggregation is one of {', '.join(AGGREGATIONS)}")
    if methods.get("frontfill", "none") != "none":
        raise InvalidInput(f"{attribute}: frontfill is none")
    for each in FILLED:
        if methods.get(each, "zero") not in FILLINGS:
            raise InvalidInput(f"{attribute}: {each} is one of {', '.join(FILLINGS)}")
        if methods.get(each) == "value" and not _is_number(methods.get(f"{each}_value")):
            raise InvalidInput(f"{attribute}: {each} needs a number as its {each}_value")


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and abs(float(text)) < float("inf")
    except ValueError:
        return False
