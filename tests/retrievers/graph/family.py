"""A small graph with known answers, and an encoder whose words are their own directions."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrievers.graph.link import names_of
from retrievers.graph.memory import Graph, graph_of
from retrievers.graph.reader import GraphReader

EDGES = [
    ("Anna Berg", "parent", "Bo Berg"),
    ("Anna Berg", "parent", "Cleo Berg"),
    ("Bo Berg", "spouse", "Dana Holm"),
    ("Cleo Berg", "spouse", "Erik Dahl"),
    ("Bo Berg", "born in", "Oslo"),
    ("Cleo Berg", "born in", "Bergen (Norway)"),
    ("Dana Holm", "born in", "Malmö"),
    ("Erik Dahl", "born in", "Oslo"),
    ("Oslo", "country", "Norway"),
    ("Bergen (Norway)", "country", "Norway"),
    ("Malmö", "country", "Sweden"),
]
SIZE = 256


def words_apart(texts: Sequence[str]) -> NDArray[np.float32]:
    """Equal words look alike, different ones hardly: shape (len(texts), SIZE), length 1."""
    rows = np.zeros((len(texts), SIZE), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            rng = np.random.default_rng(zlib.crc32(word[:5].encode()))
            row += rng.standard_normal(SIZE).astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def family(edges: Sequence[tuple[str, str, str]] = EDGES) -> Graph:
    """The graph; edge ids count from 1."""
    return graph_of((at, *edge) for at, edge in enumerate(edges, 1))


def reader(graph: Graph | None = None) -> GraphReader:
    graph = graph or family()
    return GraphReader(graph, names_of(graph), words_apart)
