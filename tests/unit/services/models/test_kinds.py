import numpy as np
import pytest

from services.models.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("boxes", "kind"),
    [
        ([0.0], Kind.ENDED),
        ([0.0] * 40, Kind.ENDED),
        ([5.0] * 30 + [0.0] * 4, Kind.ENDED),
        ([5.0] * 30 + [0.0] * 3, Kind.LONG),  # three weeks may be a closure; but a series that varies can be modelled
        ([0.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0], Kind.INTERMITTENT),  # it was silent for longer before
        ([0.0, 3.0, 0.0, 8.0] * 8, Kind.INTERMITTENT),
        ([5.0] * 19, Kind.SHORT),
        ([5.0, 6.0] * 10, Kind.LONG),
        ([5.0] * 50, Kind.SHORT),  # nothing to estimate
        ([0.0] * 60 + [5.0, 6.0] * 13, Kind.LONG),  # only recent weeks say whether it is intermittent
    ],
)
def test_kinds(boxes: list[float], kind: Kind) -> None:
    assert kind_of(np.array(boxes)) is kind
