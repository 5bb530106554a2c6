"""One collection of a workspace, ready for use: add, remove, search, ask, reindex.

What the command line and the workers hold. It wires the rooms together and does none of their
work itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from corpus.add import Adder, Report
from corpus.edges import with_edges
from corpus.limits import Limits as ParseLimits
from corpus.quarantine import sifted
from corpus.sandbox import Sandbox
from corpus.split import Splitter
from corpus.walk import Source
from models.encoder import Encoder
from models.encoders import Encoders
from models.pilot.chosen import chosen
from models.pilot.reading import having
from pilotfish.errors import InputError, NotFound
from pilotfish.settings import Settings
from pilotfish.step import Step, run
from pilotfish.types import Case, Question
from pipeline.parts import Counts, Memo, Parts
from pipeline.policy import configured
from pipeline.purse import Purse
from pipeline.recipes import recipe, retrieval_of
from pipeline.reliance import reliance
from pipeline.splitting import splitter
from pipeline.wiring import reranked, table_search
from prompters.spelling import Vocabulary
from retrievers.attached import Attached
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.graph.held import Graphs
from retrievers.graph.retrieve import Graph
from retrievers.manual import ScopeThenSection
from retrievers.manuals.held import Manuals
from retrievers.nearest import keeper
from retrievers.rerank import DEPTH as RERANKED
from retrievers.shelf import Shelf
from retrievers.sql import Sheets
from retrievers.tables.held import Tables
from retrievers.tables.retrieve import about
from store import collections, documents, passages, quarantine
from store.workspace import Workspace, open_workspace

PASSAGE_TOKENS = 254  # with its title and headings; what the default encoder reads
FUSE_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears of progress: each stored document's id, each batch of embedded passages."""

    stored: Callable[[str], None] = lambda _: None
    embedded: Callable[[int], None] = lambda _: None


class Library:
    """An opened collection, shared by threads.

    create: make the workspace and the collection when missing. encoders, workspace: share those
    that another library of this process has loaded and opened.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        create: bool = False,
        encoders: Encoders | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self.settings = settings
        self.encoders = encoders or Encoders(settings.threads)
        self._parts: tuple[Encoder, Parts] | None = None
        self.workspace = workspace or open_workspace(
            settings.workspace, create=create, url=settings.database
        )
        self.database = self.workspace.database
        if create:
            self._ensure_collection()
        self.shelf = Shelf(
            self.database,
            settings.collection,
            self.workspace.index_root(settings.collection),
            self.encoders,
            keeper(settings.dense.store, settings.dense.store_options),
        )
        self.collection()  # fails early when there is no such collection

    def _ensure_collection(self) -> None:
        name, encoder = self.settings.collection, self.settings.encoder
        with self.database.read() as connection:
            if name in collections.names(connection):
                return
        budget = min(PASSAGE_TOKENS, self.encoders(encoder).limit - 2)
        with self.database.write() as connection:
            collections.ensure(connection, name, encoder, budget)

    def collection(self) -> collections.Collection:
        return self.shelf.collection()

    @property
    def encoder(self) -> Encoder:
        """The collection's own encoder, whatever the settings say."""
        return self.encoders(self.collection().encoder)

    @property
    def parts(self) -> Parts:
        """What all questions share; made anew when the collection, or its encoder, is another."""
        collection, held, settings = self.collection(), self._parts, self.settings
        encoder = self.encoders(collection.encoder)
        if held is None or held[0] is not encoder or held[1].collection_id != collection.id:
            judge = chosen(settings.judge, settings.reranker, settings.threads)
            policy = configured(settings.policy, encoder)
            embed, tables = Memo(encoder), Tables(self.database, settings.collection)
            find = partial(about, tables)
            held = encoder, Parts(
                settings, self.shelf, embed, Counts(encoder.count),
                self.workspace.secret, collection.id,
                Graphs(self.database, settings.collection, embed),
                tables, Sheets(find), Attached(self.database, settings.collection),
                Manuals(self.shelf),
                Vocabulary(self.database, settings.collection), judge, policy=policy,
            )  # fmt: skip
            self._parts = held
        return held[1]

    def add(self, paths: Sequence[str | Source], hooks: Hooks = Hooks()) -> Report:
        """Add files and folders, then bring the indexes up to date.

        A Source gives a file the name under which it is known, wherever it lies.
        """
        limits = ParseLimits.of(self.settings.limits)
        embedder = self.shelf.embedder(hooks.embedded)
        with Sandbox(limits) as sandbox, embedder.beside() as wake:

            def stored(key: str) -> None:
                wake()
                hooks.stored(key)

            adder = Adder(self.database, self.collection(), self.splitter(), sandbox, stored)
            if self.settings.quarantine:
                adder = replace(adder, sift=sifted)
            if self.settings.edges == "prose":
                adder = replace(adder, enrich=with_edges, way="+edges")
            report = adder(paths)
        self.shelf.refresh(hooks.embedded)
        return report

    def splitter(self) -> Splitter:
        """How this collection cuts its documents."""
        return splitter(self.settings, self.collection(), self.encoder)

    def remove(self, keys: Sequence[str]) -> int:
        """Remove documents by id, or all documents of a file; NotFound names the unknown ones."""
        collection = self.collection()
        with self.database.write() as connection:
            wanted: list[str] = []
            for key in keys:
                found = documents.fingerprints(connection, collection.id, [key])
                of_file = documents.keys_of_source(connection, collection.id, key)
                if not found and not of_file:
                    raise NotFound(f"no document {key!r}: see pilotfish list")
                wanted += list(found) or of_file
            revision = collections.bump(connection, collection.id)
            count = documents.drop(connection, collection.id, revision, wanted)
        self.shelf.refresh()
        return count

    def release(self, wanted: Sequence[str]) -> int:
        """Let passages out of quarantine: by their number, or all of a document."""
        collection = self.collection()
        with self.database.write() as connection:
            held = quarantine.listing(connection, collection.id)
            found = [
                [one.id for one in held if key in (str(one.id), one.document)] for key in wanted
            ]
            for key, ids in zip(wanted, found, strict=True):
                if not ids:
                    raise NotFound(f"nothing in quarantine is {key!r}: see pilotfish quarantine")
            revision = collections.bump(connection, collection.id)
            every = sorted({one for ids in found for one in ids})
            count = quarantine.release(connection, collection.id, revision, every)
        self.shelf.refresh()
        return count

    def retriever(self, name: str, k: int) -> Step:
        """The retriever of that name: bm25, dense, fused or reranked."""
        depth = max(FUSE_DEPTH, k)
        fused = Fuse((BM25(self.shelf, depth), Dense(self.shelf, depth)), max(k, RERANKED))
        made: dict[str, Callable[[], Step]] = {
            "reranked": lambda: self._reranked(fused, k),
            "bm25": lambda: Fuse((BM25(self.shelf, k),), k),
            "dense": lambda: Fuse((Dense(self.shelf, k),), k),
            "fused": lambda: Fuse((BM25(self.shelf, depth), Dense(self.shelf, depth)), k),
        }
        if name not in made:
            raise InputError(f"no retriever {name!r}: there are {', '.join(made)}")
        return made[name]()

    def _reranked(self, retrieve: Step, k: int) -> Step:
        if having(self.parts.judge, "relevance") is None:
            raise InputError("reranked needs a cross-encoder: set PILOTFISH_JUDGE=pilot")
        return reranked(retrieve, self.parts, k)

    def search(
        self, question: Question, retriever: str = "fused", k: int = 10, recipe: str | None = None
    ) -> Case:
        """Retrieve only; in one kind of source where the scope names it.

        recipe: as the recipe of that name does it, instead of one retriever.
        """
        if recipe is not None:
            return run(retrieval_of(recipe, self.parts, k), Case(self.checked(question)))
        return run(self._finder(question.scope.kind, retriever, k), Case(self.checked(question)))

    def _finder(self, kind: str | None, retriever: str, k: int) -> Step:
        """The retriever of a kind, unless a plain one is asked for by name."""
        if kind == "triple":
            return Graph(self.parts.graphs, k)
        if kind == "table" and retriever == "fused":
            return table_search(self.parts, k)
        if kind == "manual" and retriever == "fused":
            return ScopeThenSection(self.shelf, self.parts.manuals, k)
        return self.retriever(retriever, k)

    def ask(
        self,
        question: Question,
        recipe_name: str = "default",
        purse: Purse | None = None,
        settings: Settings | None = None,
    ) -> Case:
        """Answer one question with a recipe; the trace carries times and money.

        purse: in whose name is spent; settings: other ones than the library's, for this item.
        """
        parts = self.parts if settings is None else replace(self.parts, settings=settings)
        purse = purse or self.purse()
        if purse.collection_id != parts.collection_id:  # paid calls would mention other documents
            raise NotFound(f"collection {purse.tenant!r} was removed and made anew: ask again")
        relied = reliance(parts, recipe_name, question.limits.max_error)
        parts = replace(parts, reliance=relied)
        step = recipe(recipe_name)(parts, purse)
        return run(step, Case(self.checked(question)))

    def purse(self, item: int | None = None) -> Purse:
        """A purse for one item, opened now."""
        collection = self.collection()
        return Purse(self.database, collection.name, collection.id, item)

    def checked(self, question: Question) -> Question:
        """The question, trimmed; InputError when it is empty or far too long."""
        # Half characters come in by the shell's bytes; neither database nor model takes them.
        text = question.text.encode("utf-8", "replace").decode().strip()
        limit = self.settings.limits.question_chars
        if not text:
            raise InputError("the question is empty: ask something")
        if len(text) > limit:
            raise InputError(
                f"the question has {len(text):,} characters, over the limit of {limit:,}: "
                "shorten it or add the text as a document"
            )
        return replace(question, text=text)

    def behind(self) -> int:
        """Passages that are stored but not searchable yet (an add was interrupted)."""
        return self.shelf.pending()

    def reindex(self, encoder_name: str | None, hooks: Hooks = Hooks()) -> None:
        """Build the indexes anew beside the old ones, with another encoder if named, and swap."""
        if encoder_name and encoder_name != self.collection().encoder:
            self._change_encoder(encoder_name, hooks)
        else:
            self.shelf.refresh(hooks.embedded, rebuild=True)

    def _change_encoder(self, name: str, hooks: Hooks) -> None:
        limit, budget = self.encoders(name).limit, self.collection().split_tokens
        if limit - 2 < budget:
            raise InputError(
                f"encoder {name} reads {limit} tokens, this collection's passages have "
                f"up to {budget}: add the documents to a new collection"
            )
        self.shelf.change_encoder(name, hooks.embedded)
        self._drop_old_vectors(self.encoders(name).fingerprint)

    def _drop_old_vectors(self, fingerprint: str) -> None:
        with self.database.write() as connection:
            used = {collections.find(connection, n).encoder for n in collections.names(connection)}
            if len(used) == 1:
                passages.drop_vectors(connection, [fingerprint])
