"""A predictor: the candidate and the effects that a backtest chooses, and how it would have done in the last steps."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np

from services.forecast_api.errors import JobFailed
from services.forecast_api.evaluation import Compared, metrics, summary
from services.forecast_api.predictors import Plan, plan_of
from services.forecast_api.schemas import RELATED, TARGET
from services.forecast_api.series import Data, Key, align, with_features
from services.forecast_api.work import Done, Work
from services.models.forecast import Trained, forecast_trained, train
from services.models.futures import Floats, Forecast
from services.models.known import Known, choose_strength, explained_by

Json = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """What is kept of a training. `strength` is how strongly effects are taken over, None for none (models/known.py)."""

    keys: tuple[Key, ...]
    trained: Trained
    strength: float | None

    def forecast(self, keys: Sequence[Key], known: Sequence[Known], plan: Plan) -> list[Forecast]:
        """Of the same series or others: one that was not trained on takes the residuals of all."""
        of = {key: place for place, key in enumerate(self.keys)}
        shared = np.concatenate(self.trained.residuals)
        places = [of.get(key) for key in keys]
        trained = Trained(
            self.trained.chosen,
            tuple(shared if at is None else self.trained.residuals[at] for at in places),
            tuple("" if at is None else self.trained.problems[at] for at in places),
        )
        boxes, explained = [each.boxes for each in known], explained_by(known, self.strength)
        return forecast_trained(trained, boxes, range(1, plan.horizon + 1), plan.frequency.season, explained)

    def to_bytes(self) -> bytes:
        series = [
            {"key": key, "residuals": residuals.tolist(), "problem": problem}
            for key, residuals, problem in zip(self.keys, self.trained.residuals, self.trained.problems, strict=True)
        ]
        strength = None if self.strength is None else str(self.strength)
        return json.dumps({"chosen": self.trained.chosen, "strength": strength, "series": series}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Model":
        found = json.loads(content)
        series, strength = found["series"], found["strength"]
        residuals: list[Floats] = [np.array(each["residuals"], dtype=np.float64) for each in series]
        trained = Trained(found["chosen"], tuple(residuals), tuple(each["problem"] for each in series))
        return cls(tuple(tuple(each["key"]) for each in series), trained, None if strength is None else float(strength))


def run(work: Work) -> Done:
    """Raises JobFailed when the data does not allow what was asked."""
    plan = plan_of(work.resource.request)
    data = load(work, work.resource.details["DatasetImportJobArns"], plan)
    _check_length(data, plan)
    windows = [_evaluate(data, plan, number) for number in range(plan.windows)]
    model = fit(data, plan, data.last + 1)
    evaluated: Json = {"TestWindows": [summary(windows), *windows]}
    if algorithm := work.resource.request.get("AlgorithmArn"):
        evaluated["AlgorithmArn"] = algorithm
    return Done({"PredictorEvaluationResults": [evaluated]}, model.to_bytes())


def load(work: Work, imports: list[str], plan: Plan) -> Data:
    datasets = work.datasets(imports)
    schema, table = datasets[TARGET]
    data = align(table, schema, plan)
    if RELATED in datasets:
        related, features = datasets[RELATED]
        data = with_features(data, features, related, plan) if related.features else data
    return data


def fit(data: Data, plan: Plan, end: int) -> Model:
    """By what is known before the step `end`."""
    keys, known = data.known(end, plan.horizon)
    strength = choose_strength(known, plan.horizon) if known[0].features.shape[1] else None
    explained = explained_by(known, strength)
    trained = train([each.boxes for each in known], plan.horizon, plan.frequency.season, explained)
    return Model(tuple(keys), trained, strength)


def _check_length(data: Data, plan: Plan) -> None:
    most = int(data.length * plan.longest)
    if plan.horizon > most:
        raise JobFailed(
            f"ForecastHorizon {plan.horizon} is too long: a target time series of {data.length} steps allows {most}"
        )
    needed = plan.offset + (plan.windows - 1) * plan.horizon
    if needed * 2 >= data.length:
        raise JobFailed(f"the backtest windows take {needed} steps, half of the {data.length} that there are or more")


def _evaluate(data: Data, plan: Plan, number: int) -> Json:
    """One backtest window: the last `offset` steps, or those a horizon before the window before, as if nobody knew them."""
    end = data.last + 1 - plan.offset - number * plan.horizon
    keys, known = data.known(end, plan.horizon)
    if not known:
        raise JobFailed("no series begins before the backtest window: give a longer history, or a shorter horizon")
    forecasts = fit(data, plan, end).forecast(keys, known, plan)
    of = {each.key: each for each in data.series}
    compared = [
        Compared(of[key].values[end - of[key].first :][: plan.horizon], one, each.boxes)
        for key, one, each in zip(keys, forecasts, known, strict=True)
    ]
    starts = data.frequency.starts(np.array([end, end + plan.horizon])).tolist()
    start, finish = (each.replace(tzinfo=UTC).timestamp() for each in starts)
    return {
        "TestWindowStart": start,
        "TestWindowEnd": finish,
        "ItemCount": len(compared),
        "EvaluationType": "COMPUTED",
        "Metrics": metrics(compared, plan.types, plan.frequency.season.lag),
    }
