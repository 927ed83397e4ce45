"""order-volume through Amazon Forecast's API, on the history of order_simulation.py."""

from dataclasses import replace

from chaos.compare import order_simulation
from contracts.pipelines import ORDER_VOLUME_PIPELINE

SUBJECT = replace(order_simulation.SUBJECT, pipeline=ORDER_VOLUME_PIPELINE)
