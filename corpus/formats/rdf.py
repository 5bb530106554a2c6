"""RDF as edges, by rdflib: N-Triples, Turtle, RDF/XML, JSON-LD.

Things are called by their label (rdfs:label, skos:prefLabel, foaf:name, schema:name), else by the
last part of their IRI; relations likewise. Lists, blank nodes and data types are not kept apart:
a blank node is a node of its own name. Not here: reasoning, named graphs, remote contexts (the
parser's child has no network).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from corpus.formats.grid import clean
from corpus.formats.triples import Edge, documents
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

FORMATS = {
    ".nt": "nt", ".ttl": "turtle", ".rdf": "xml", ".owl": "xml", ".jsonld": "json-ld",
}  # fmt: skip
_LABELS = (
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://xmlns.com/foaf/0.1/name",
    "http://schema.org/name",
    "https://schema.org/name",
)
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """The graph's edges under their labels, as documents of up to 100,000 edges."""
    from rdflib import Graph

    kind = next(kind for suffix, kind in FORMATS.items() if name.lower().endswith(suffix))
    graph = Graph()
    graph.parse(data=data, format=kind)  # what it raises becomes a reason (corpus/jail.py)
    edges = _edges(graph)
    if not edges:
        yield ParseFailure(name, "no triples in it: nothing to read")
        return
    yield from documents(edges, name)


def _edges(graph: Graph) -> list[Edge]:
    """Every triple but labels, by names, in the order of their names (rdflib has none)."""
    from rdflib.term import URIRef

    labels = {URIRef(one) for one in _LABELS}
    names: dict[Node, str] = {}
    for label in reversed(_LABELS):  # the first of the list wins
        for subject, _, value in graph.triples((None, URIRef(label), None)):
            names[subject] = clean(str(value))
    found = {
        (_name(subject, names), _relation(relation, names), _name(other, names))
        for subject, relation, other in graph
        if relation not in labels
    }
    return sorted(edge for edge in found if all(edge))


def _name(node: Node, names: dict[Node, str]) -> str:
    """A label, a literal's text, or the readable end of an IRI."""
    from rdflib.term import URIRef

    if node in names:
        return names[node]
    return _local(str(node)).replace("_", " ") if isinstance(node, URIRef) else clean(str(node))


def _relation(node: Node, names: dict[Node, str]) -> str:
    if str(node) == _TYPE:
        return "is a"
    if node in names:
        return names[node]
    return _WORD_EDGE.sub(" ", _local(str(node))).replace("_", " ").lower()


def _local(iri: str) -> str:
    return clean(unquote(re.split(r"[/#:]", iri.rstrip("/#"))[-1])) or iri
