import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.amazon_forecast import POLLING
from contracts.configurator import RunPlanned
from contracts.dataset_group import DatasetGroupCreated
from contracts.errors import BadData, ResourcePending
from contracts.message import Replacement
from contracts.volume_export import ExportVolume, OrderVolumePublished
from contracts.volume_forecast import FactoryVolumeForecasted
from services.models.volume import SCHEMA
from services.runtime.context import Context
from services.runtime.resources import Export, Resource
from services.runtime.testing import AtOnce, local_context
from services.volume_export.exported import Exported, volume_of
from services.volume_export.handler import handle
from tests.support.plans import LAST_WEEK, WEEK, plan_of

GROUP = DatasetGroupCreated(dataset_group_arn="arn:group", waiting=POLLING)
HEADER = "item_id,date,mean,p10,p50,p90\n"
LATEST = "job_2026-11-25T10-00-00Z_part0.csv"


def line(region: str, ahead: int, mean: float = 1.0) -> str:
    return f"{region},{LAST_WEEK + ahead * WEEK}T00:00:00Z,{mean},{mean / 2},{mean},{mean * 2}\n"


def lines(region: str, mean: float = 1.0) -> str:
    return "".join(line(region, ahead, mean + ahead) for ahead in range(1, 6))


def exports(files: dict[str, dict[str, str]]) -> AtOnce:
    """A service that writes these files, by factory."""

    def write(wanted: Resource) -> None:
        assert isinstance(wanted, Export)
        folder = Path(wanted.folder.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files[folder.name.removeprefix("exported-")].items():
            (folder / name).write_text(text, encoding="utf-8")

    return AtOnce(write)


def context(folder: Path, forecasting: AtOnce) -> Context:
    return local_context(folder, "volume-export", forecasting=forecasting)


def published(
    ctx: Context, arns: Sequence[str | None] = ("arn:A", "arn:B"), degraded: tuple[Replacement, ...] = ()
) -> OrderVolumePublished:
    forecasts = tuple(FactoryVolumeForecasted(forecast_arn=arn, degraded=degraded) for arn in arns)
    return handle(ExportVolume(plan=plan_of(ctx, ahead=(2, 3)), group=GROUP, forecasts=forecasts), ctx)


BOTH = {"A": {LATEST: HEADER + lines("east")}, "B": {LATEST: HEADER + lines("west", 1 / 3), "_CHECK": ""}}


def test_the_plans_weeks_of_all_factories_are_one_table(tmp_path: Path) -> None:
    ctx = context(tmp_path, exports(BOTH))
    answer = published(ctx)
    table = ctx.read(answer.volume)
    assert table.schema == SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (date(2026, 11, 28), "east", "A", 3.0, 1.5, 3.0, 6.0, "amazon-forecast"),
        (date(2026, 11, 28), "west", "B", 2.33333333, 1.16666667, 2.33333333, 4.66666667, "amazon-forecast"),
        (date(2026, 12, 5), "east", "A", 4.0, 2.0, 4.0, 8.0, "amazon-forecast"),
        (date(2026, 12, 5), "west", "B", 3.33333333, 1.66666667, 3.33333333, 6.66666667, "amazon-forecast"),
    ]


def test_what_is_published_names_no_run(tmp_path: Path) -> None:
    answer = published(context(tmp_path, exports(BOTH)))
    body = Path(answer.csv_uri.removeprefix("file://")).read_bytes()
    assert body.decode().splitlines()[:3] == [
        "week,factory,kind,name,unit,mean,p10,p50,p90",
        "2026-11-28,A,boxes,east,boxes,3.000000,1.500000,3.000000,6.000000",
        "2026-11-28,B,boxes,west,boxes,2.333333,1.166667,2.333333,4.666667",
    ]
    assert (answer.sha256, answer.rows) == (hashlib.sha256(body).hexdigest(), 4)
    assert answer.date == date(2026, 11, 25)


def test_rows_version_and_pointer_are_written_with_the_answer(tmp_path: Path) -> None:
    ctx = context(tmp_path, exports(BOTH))
    replaced = Replacement(component="volume-forecast", item="A", by="a guess", why="nobody knows")
    answer = published(ctx, degraded=(replaced,))
    version, rows, _, pointer = ctx.statements
    ((day, sha256, count, uri, csv_uri, degraded, run_id),) = version.rows
    assert (day, sha256, count, uri, csv_uri) == (answer.date, answer.sha256, 4, answer.uri, answer.csv_uri)
    assert json.loads(degraded) == [replaced.model_dump()]
    assert rows.rows[0] == (ctx.run_id, date(2026, 11, 28), "A", "boxes", "east", "boxes", 3.0, 1.5, 3.0, 6.0)
    assert run_id == pointer.rows[0][0] == ctx.run_id


def test_each_forecast_is_exported_to_a_folder_of_its_own(tmp_path: Path) -> None:
    forecasting = exports(BOTH)
    published(context(tmp_path, forecasting))
    wanted: Any = [each for each, _ in forecasting.wanted]
    assert [each.forecast for each in wanted] == ["arn:A", "arn:B"]
    assert len({each.folder for each in wanted}) == len({each.name for each in wanted}) == 2


def test_a_factory_without_a_forecast_has_no_rows(tmp_path: Path) -> None:
    ctx = context(tmp_path, exports(BOTH))
    assert {row["factory"] for row in ctx.read(published(ctx, ("arn:A", None)).volume).to_pylist()} == {"A"}


def test_files_that_are_gone_are_exported_again(tmp_path: Path) -> None:
    forecasting = exports({**BOTH, "B": {}})
    ctx = context(tmp_path, forecasting)
    with pytest.raises(ResourcePending, match="exported again"):
        published(ctx)
    (deleted,) = forecasting.deleted
    assert isinstance(deleted, Export)
    assert deleted.forecast == "arn:B"
    assert ctx.statements == []


def test_an_earlier_export_does_not_count(tmp_path: Path) -> None:
    earlier = {"job_2026-11-25T09-59-59Z_part0.csv": HEADER + lines("east", 99.0) + lines("gone")}
    ctx = context(tmp_path, exports({**BOTH, "A": earlier | BOTH["A"]}))
    assert published(ctx).sha256 == published(context(tmp_path / "other", exports(BOTH))).sha256


@pytest.mark.parametrize(
    ("text", "told"),
    [(HEADER, "no forecast of the plan's weeks"), (HEADER + line("east", 2), "no forecast of east in week 2026-12-05")],
)
def test_a_forecast_that_lacks_what_was_planned_is_not_published(tmp_path: Path, text: str, told: str) -> None:
    ctx = context(tmp_path, exports({"A": {LATEST: text}}))
    with pytest.raises(BadData, match=told):
        published(ctx, ("arn:A", None))
    assert ctx.statements == []


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> RunPlanned:
    return plan_of(local_context(tmp_path_factory.mktemp("plan"), "configurator"), ahead=(2, 3))


@settings(deadline=None)
@given(
    rows=st.permutations([line(region, ahead) for region in ("east", "north") for ahead in (2, 3, 4)]),
    cut=st.integers(0, 6),
)
def test_the_table_does_not_depend_on_how_files_are_cut(plan: RunPlanned, rows: list[str], cut: int) -> None:
    parts = {f"job_2026-11-25T10-00-00Z_part{n}.csv": part for n, part in enumerate((rows[:cut], rows[cut:]))}
    files = {name: (HEADER + "".join(part)).encode() for name, part in parts.items()}
    whole = {LATEST: (HEADER + "".join(sorted(rows))).encode()}
    assert volume_of(plan, [Exported("A", files)]).equals(volume_of(plan, [Exported("A", whole)]))
