"""The pipelines. A new component is an import and one line here."""

from collections.abc import Mapping

from contracts.component import Component
from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.dataset_group import DATASET_GROUP
from contracts.errors import BadRequest
from contracts.nesting import checked
from contracts.network_configuration import NETWORK_CONFIGURATION
from contracts.offers_import import OFFERS_IMPORT
from contracts.order_simulator import ORDER_SIMULATOR
from contracts.order_volume import ORDER_VOLUME
from contracts.orders_import import ORDERS_IMPORT
from contracts.pipeline import Choice, Map, Parallel, Pipeline, Sequence
from contracts.predictor import PREDICTOR
from contracts.publisher import PUBLISHER
from contracts.recipe_popularity import RECIPE_POPULARITY
from contracts.schedule import Schedule
from contracts.site_forecast import SITE_FORECAST
from contracts.volume_export import VOLUME_EXPORT
from contracts.volume_forecast import VOLUME_FORECAST

ORDER_SIMULATION = Pipeline(
    name="order-simulation",
    flow=Sequence(
        (
            CONFIGURATOR,
            Map((DATA_EXTRACTOR,), over="plan.batches"),
            Parallel((ORDER_VOLUME, RECIPE_POPULARITY)),
            Choice(
                on="plan.weekday",
                cases={
                    "friday": Map((NETWORK_CONFIGURATION,), over="plan.factories", only=("A",)),
                    "monday": Map((NETWORK_CONFIGURATION,), over="plan.factories", only=("B",)),
                },
                otherwise=Map((NETWORK_CONFIGURATION,), over="plan.factories"),
            ),
            Map((ORDER_SIMULATOR, SITE_FORECAST), over="plan.weeks"),
            PUBLISHER,
        )
    ),
    schedule=Schedule("cron(0 4 * * ? *)"),
)

ORDER_VOLUME_PIPELINE = Pipeline(
    name="order-volume",
    flow=Sequence(
        (
            CONFIGURATOR,
            Map((DATA_EXTRACTOR,), over="plan.batches"),
            DATASET_GROUP,
            Parallel((ORDERS_IMPORT, OFFERS_IMPORT)),
            PREDICTOR,
            Map((VOLUME_FORECAST,), over="plan.factories"),
            VOLUME_EXPORT,
        )
    ),
)
"""Order volume through Amazon Forecast's API; also run by the version `nested` of order-volume, as one of its steps."""

PIPELINES = checked(ORDER_SIMULATION, ORDER_VOLUME_PIPELINE)


def pipeline_named(name: str, pipelines: tuple[Pipeline, ...] = PIPELINES) -> Pipeline:
    """Raises BadRequest naming the pipelines there are."""
    for pipeline in pipelines:
        if pipeline.name == name:
            return pipeline
    raise BadRequest(f"unknown pipeline '{name}': there is {', '.join(p.name for p in pipelines)}")


def all_components(pipelines: tuple[Pipeline, ...] = PIPELINES) -> tuple[Component, ...]:
    """Every component once, in the order of the pipelines."""
    return tuple({component.name: component for p in pipelines for component in p.components}.values())


def component_named(name: str, pipelines: tuple[Pipeline, ...] = PIPELINES) -> Component:
    """Raises BadRequest naming the components there are."""
    for component in all_components(pipelines):
        if component.name == name:
            return component
    known = ", ".join(component.name for component in all_components(pipelines))
    raise BadRequest(f"unknown component '{name}': there is {known}")


def workers(pipelines: tuple[Pipeline, ...] = PIPELINES) -> tuple[tuple[Component, str], ...]:
    """What these pipelines need a worker for: every version, but those that are runs of a pipeline that is not among them."""
    names = {pipeline.name for pipeline in pipelines}
    return tuple(
        (component, version)
        for component in all_components(pipelines)
        for version in component.versions
        if (nested := component.nested_in(version)) is None or nested.pipeline in names
    )


def nested_pipelines(
    pipeline: Pipeline, flags: Mapping[str, str] | None = None, pipelines: tuple[Pipeline, ...] = PIPELINES
) -> tuple[Pipeline, ...]:
    """Those that a run with these flags has runs of; without flags, those that any run may have."""
    wanted = [
        nested.pipeline
        for component in pipeline.components
        for nested in component.nested
        if flags is None or flags.get(component.name, component.versions[0]) == nested.version
    ]
    return tuple(pipeline_named(name, pipelines) for name in dict.fromkeys(wanted))
