"""The one envelope of both styles: CloudEvents 1.0 attributes (https://cloudevents.io, structured JSON mode).

`runid`, `traceparent`, `mode` and `style` are extension attributes. The id is the step id, so a repeat is recognisable
everywhere.
"""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field

from contracts.message import Frozen

Data = TypeVar("Data")

MAX_MESSAGE_BYTES = 64 * 1024
"""Senders refuse larger messages. Step Functions caps a payload at 256 KiB, which a state shares with its siblings."""


Mode = Literal["normal", "fallback"]
"""How a step is to get its answer: by its handler, or by its component's fallback after the last attempt."""


Style = Literal["scheduled"]
"""Of a message that says its own: nothing follows from its answer. Others are answered to their task token or the topic."""

TICK = "tick.v1"
"""The type of what a component's own clock sends it: start now, on the latest results there are."""


class Envelope(Frozen, Generic[Data]):
    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    runid: str = Field(min_length=1, max_length=64)
    traceparent: str | None = None
    mode: Mode = Field(default="normal", exclude_if=lambda mode: mode == "normal")
    style: Style | None = Field(default=None, exclude_if=lambda style: style is None)
    data: Data


class StepKey(Frozen):
    """A step is one component's work on one item of one run."""

    run_id: str
    component: str
    item: str

    @property
    def id(self) -> str:
        return f"{self.run_id}/{self.component}/{self.item}"

    @property
    def local(self) -> str:
        """The key within the run."""
        return f"{self.component}/{self.item}"

    @classmethod
    def parse(cls, step_id: str) -> "StepKey":
        """Raise ValueError when the id is not `run/component/item`."""
        run_id, component, item = step_id.split("/")
        return cls(run_id=run_id, component=component, item=item)


def seal(
    key: StepKey,
    wire_type: str,
    source: str,
    data: dict[str, Any],
    time: datetime,
    traceparent: str | None = None,
    style: Style | None = None,
) -> str:
    """The body of a command or an event of a step, as JSON."""
    return Envelope[dict[str, Any]](
        id=key.id,
        source=f"/brigade/{source}",
        type=wire_type,
        time=time,
        runid=key.run_id,
        traceparent=traceparent,
        style=style,
        data=data,
    ).model_dump_json()
