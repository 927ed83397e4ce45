"""A factory's last network, as it is: a week that it does not cover uses its latest one."""

from contracts.errors import BadData
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from services.runtime.context import Context


def handle(inputs: ConfigureNetwork, ctx: Context) -> FactoryNetworkConfigured:
    """Raises BadData, with the failure it was to make up for, when the factory has no earlier network."""
    factory, last = inputs.factory, inputs.factory.last
    if last is None:
        raise BadData(f"factory {factory.key} has no earlier network to use instead of its own: {ctx.failure}")
    answer = FactoryNetworkConfigured.model_validate(last.output)
    degraded = ctx.replaced(by=f"its network of run {last.run_id} of {last.date:%-d %B %Y}")
    return FactoryNetworkConfigured(factory=factory.key, network=answer.network, degraded=degraded)
