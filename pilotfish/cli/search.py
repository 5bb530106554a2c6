"""`search`: passages for one question, or a TREC run for many."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args
from urllib.parse import quote

import typer

from pilotfish.cli.context import Context, emit, guarded
from pilotfish.cli.output import writable
from pilotfish.cli.place import place_of
from pilotfish.cli.progress import Meter
from pilotfish.errors import InputError
from pilotfish.files import read_text, write_text
from pilotfish.text import shorten
from pilotfish.types import Kind, Passage, Question, Scope

if TYPE_CHECKING:
    from pilotfish.types import Case
    from pipeline.library import Library

Where = Annotated[str | None, typer.Option("--where", help="Filter, like: year >= 2020")]
KindName = Annotated[
    str | None, typer.Option("--kind", help="Only these: text, table, triple or manual.")
]
_DEPTH = 5  # passages read for each document asked for


@dataclass(frozen=True, slots=True)
class How:
    """By which retriever, or as which recipe does it; `k` results; where to look."""

    retriever: str
    recipe: str | None
    k: int
    scope: Scope

    def search(self, library: Library, question: Question, k: int) -> Case:
        return library.search(question, self.retriever, k, self.recipe)


def register(app: typer.Typer) -> None:
    app.command("search")(search)


def search(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many.")] = 10,
    retriever: Annotated[
        str | None, typer.Option(help="bm25, dense, fused [default] or reranked.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Retrieve as this recipe does, like multihop.")
    ] = None,
    where: Where = None,
    kind: KindName = None,
    queries: Annotated[Path | None, typer.Option(help="JSON lines of {id, text}.")] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="TREC run to write (- for stdout). White space in ids is percent-encoded."
        ),
    ] = None,
) -> None:
    """Print the passages that fit best, or write a TREC run for a file of queries."""
    options: Context = context.obj
    with guarded(options):
        if (query is None) == (queries is None):
            raise InputError("nothing to search: give one query, or --queries FILE --run OUT")
        if retriever is not None and recipe is not None:
            raise InputError("a recipe has its own retrieval: leave --retriever or --recipe out")
        scope = Scope(where=where, kind=kind_of(kind))
        how = How(retriever or "fused", recipe, k, scope)
        if queries is not None:
            _run(options, queries, run, how)
            return
        library = options.library()
        note_behind(options, library)
        case = how.search(library, Question(query or "", scope=scope), k)
        _print(options, case.passages)


def _run(options: Context, queries: Path, run: Path | None, how: How) -> None:
    """All that can be wrong with the files is said before the first query."""
    if run is None:
        raise InputError("--queries writes a run: add --run OUT.trec (or --run -)")
    writable(queries, run)
    asked = read_queries(queries)
    library = options.library()
    note_behind(options, library)
    with Meter(options, "queries", len(asked)) as meter:
        lines = [line for query in asked for line in _ranked(library, query, how, meter)]
    write_text(run, "".join(line + "\n" for line in lines))


def kind_of(name: str | None) -> Kind | None:
    """The kind of that name; InputError names those that there are."""
    if name is None or name in get_args(Kind):
        return cast("Kind | None", name)
    raise InputError(f"no kind {name!r}: there are {', '.join(get_args(Kind))}")


def note_behind(options: Context, library: Library) -> None:
    """Say on stderr when an interrupted add left passages that are not searchable yet."""
    waiting = library.behind()
    if waiting:
        options.err().print(
            f"note: {waiting} passages are not indexed yet (an add was interrupted): "
            "add again, or pilotfish doctor --repair",
            markup=False,
        )


def _print(options: Context, passages: tuple[Passage, ...]) -> None:
    if options.json:
        for rank, passage in enumerate(passages, start=1):
            emit({"rank": rank, **asdict(passage)})
        return
    out = options.out()
    for rank, passage in enumerate(passages, start=1):
        out.print(
            f"{rank:>3}  {passage.score:.4f}  {place_of(passage.document, passage.place)}"
            f"  [{passage.start}:{passage.end}]",
            markup=False,
            style="bold",
        )
        out.print(f"     {shorten(passage.text, 300)}", markup=False)
    if not passages:
        options.err().print("nothing found")


def read_queries(path: Path) -> list[tuple[str, str]]:
    """(id, text) of each line; all bad lines are named at once."""
    found, bad = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            qid = str(fields["id"])
            if not qid.strip():
                raise ValueError("no id")
            found.append((qid, str(fields.get("text") or fields["question"])))
        except (ValueError, KeyError, TypeError):
            bad.append(str(number))
    if bad or not found:
        what = f"lines {', '.join(bad[:20])} are" if bad else "no line is"
        raise InputError(f"{path}: {what} not a JSON object with id and text: mend them")
    return found


def _ranked(library: Library, query: tuple[str, str], how: How, meter: Meter) -> list[str]:
    """Lines of the run for one query: the best passage's score of each document."""
    qid, text = query
    case = how.search(library, Question(text, qid, scope=how.scope), how.k * _DEPTH)
    best: dict[str, float] = {}
    for passage in case.passages:
        best.setdefault(passage.document, passage.score)
    meter.tick()
    ranking = sorted(best.items(), key=lambda pair: -pair[1])[: how.k]
    return [f"{_column(qid)} Q0 {_column(document)} {rank} {score:.6f} pilotfish"
            for rank, (document, score) in enumerate(ranking, start=1)]  # fmt: skip


def _column(text: str) -> str:
    """An id as one column of a run: `my file.md` is `my%20file.md`."""
    return re.sub(r"\s", lambda found: quote(found.group()), text)
