"""The shipped graph read back: the network says what the graph says."""

from __future__ import annotations

import numpy as np
import pytest

from models.pilot.serve import FOLDER, GRAPH
from models.training import coding, measure
from models.training.examples import Example
from models.training.ship import Served
from models.training.thaw import thawed

pytestmark = pytest.mark.slow
PAIRS = [
    ("who wrote the score", "The film was shot in Oslo. Its score was written by Ada Berg."),
    ("The film was shot in Rome.", "The film was shot in Oslo. Its score is by Ada Berg."),
    ("when was the mill built", "The mill has three storeys. It was built in 1750."),
    ("when was the mill built", "Cats sleep for most of the day, and dogs do not."),
]


def test_a_network_read_back_from_the_shipped_graph_says_the_same() -> None:
    rows = coding.coded([Example(asked, text, "test") for asked, text in PAIRS])
    ours = measure.outputs(thawed().eval(), rows)
    theirs = measure.outputs(Served(FOLDER / GRAPH), rows)
    assert np.abs(ours[0] - theirs[0]).max() < 0.5  # logits: rounding of activations is not undone
    assert np.abs(ours[1] - theirs[1]).max() < 0.1
    found, wanted = (np.array([measure.margin(s) for s in spans]) for spans in (ours[2], theirs[2]))
    assert np.abs(found - wanted).max() < 1.0
    order = np.argsort(ours[0])
    assert order.tolist() == np.argsort(theirs[0]).tolist()
