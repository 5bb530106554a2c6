"""Manuals are found by page, then by section: known answers on a few small pages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from corpus.tokens import tokens
from pilotfish.settings import Settings
from pilotfish.types import Case, Hint, Passage, Question, Scope
from pipeline.library import Library
from retrievers.manual import SECTIONS, sections
from retrievers.manuals.held import Laid, laid
from retrievers.manuals.scope import FEATURES, weights
from retrievers.manuals.traits import TRAITS, Page, names_of, traits
from retrievers.manuals.words import Words
from store.manuals import ManualSection

WIDTH = 16


def section(i: int, page: str, text: str, platform: str = "common") -> ManualSection:
    return ManualSection(i, f"{platform}/{page}", page, platform, (), text)


PAGES = [
    section(1, "tar", "> Archiving utility. See also: `gzip`."),
    section(2, "tar", "- Create an archive from files:\n\n`tar cf {{a.tar}} {{file}}`"),
    section(3, "tar", "- Extract an archive:\n\n`tar xf {{a.tar}} | sort`"),
    section(4, "sort", "> Sort lines of text files."),
    section(5, "sort", "- Sort a file in reverse:\n\n`sort -r {{file}}`"),
    section(6, "sort", "> Sort lines of text files.", "linux"),
    section(7, "sort", "> Sort the lines of text.", "windows"),
    section(8, "gzip", "> Compress files with `tar`'s friend."),
]


def vectors(texts: Sequence[ManualSection]) -> dict[int, bytes]:
    random = np.random.default_rng(0)
    rows = random.standard_normal((len(texts), WIDTH))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return {one.id: row.astype("<f2").tobytes() for one, row in zip(texts, rows, strict=True)}


@pytest.fixture
def held() -> Laid:
    return laid(PAGES, vectors(PAGES))


def row(held: Laid, request: str, document: str) -> dict[str, float]:
    places = [page.document for page in held.scope.pages]
    features = held.scope.features(request, np.zeros(len(PAGES), dtype=np.float32))
    return dict(zip(FEATURES, features[places.index(document)].tolist(), strict=True))


def test_words_score_as_the_formula_says() -> None:
    pages = [tokens(text) for text in ("sort the lines", "lines of text and lines", "archive all")]
    mean = sum(map(len, pages)) / 3

    def score(page: list[str]) -> float:
        total = 0.0
        for term in tokens("lines of an archive"):
            n, tf = sum(term in one for one in pages), page.count(term)
            idf = math.log(1 + (3 - n + 0.5) / (n + 0.5))
            total += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(page) / mean))
        return total

    assert np.allclose(Words(pages)(tokens("lines of an archive")), [score(one) for one in pages])


def test_a_page_is_known_by_how_other_pages_name_it() -> None:
    pages = [Page("a", "tar", "", ("`tar x | sort`", "See `gzip`.")), Page("b", "sort", "", ("x",)),
             Page("c", "gzip", "linux", ("like sort",))]  # fmt: skip
    found = traits(pages, names_of(pages))
    seen = {page.name: dict(zip(TRAITS, line.tolist(), strict=True))
            for page, line in zip(pages, found, strict=True)}  # fmt: skip
    one, two = float(np.float32(np.log1p(1))), float(np.float32(np.log1p(2)))
    assert (seen["sort"]["in_code"], seen["sort"]["in_words"]) == (one, two)
    assert (seen["gzip"]["in_prose"], seen["gzip"]["linux"]) == (one, 1.0)
    assert seen["tar"]["in_code"] == 0.0  # its own page says nothing of it


def test_a_name_in_the_request_is_seen_and_no_other(held: Laid) -> None:
    assert row(held, "use gzip on it", "common/gzip")["name"] == 1.0
    assert row(held, "use gzip on it", "common/tar")["name"] == 0.0
    assert row(held, "sort it", "common/sort")["first"] == 1.0
    assert row(held, "", "common/sort")["first"] == 0.0
    assert row(held, "use gzip on it", "common/gzip")["rare_name"] <= 1.0


def test_editions_of_one_command_share_what_was_found_for_any(held: Laid) -> None:
    common, linux = (row(held, "in reverse", f"{one}/sort") for one in ("common", "linux"))
    assert common["words"] == linux["words"] == pytest.approx(4.0)


def test_a_foreign_platform_counts_unless_it_is_asked_for(held: Laid) -> None:
    assert row(held, "sort lines", "windows/sort")["other"] == 1.0
    assert row(held, "sort lines on Windows", "windows/sort")["other"] == 0.0
    assert weights()["other"] < 0


def test_sections_come_from_the_best_pages_and_no_page_crowds_out_the_others(held: Laid) -> None:
    odds = np.array([2.0, 1.5, 0.0, -1.0, -2.0], dtype=np.float32)
    nothing = np.zeros(len(PAGES), dtype=np.float32)
    found = sections(held, odds, (["extract an archive"], [nothing]), None, 4)
    assert [i for i, _ in found] == [3, 4, 1, 5]  # tar, sort, tar again, sort again
    assert found[0][1] == 1.0 and found[2][1] == pytest.approx(math.exp(-1))


def test_sections_outside_of_the_filter_are_left_out(held: Laid) -> None:
    odds = np.array([2.0, 1.5, 0.0, -1.0, -2.0], dtype=np.float32)
    nothing = np.zeros(len(PAGES), dtype=np.float32)
    found = sections(held, odds, (["archive"], [nothing]), [5, 8], 4)
    assert [i for i, _ in found] == [5, 8]


def test_a_page_gives_a_few_sections_at_most() -> None:
    rows = [section(i, "one", f"- Line {i}:\n\n`one {i}`") for i in range(1, 20)]
    held = laid(rows, vectors(rows))
    nothing = np.zeros(len(rows), dtype=np.float32)
    found = sections(held, np.zeros(1, dtype=np.float32), (["line"], [nothing]), None, 10)
    assert len(found) == SECTIONS


def test_sections_without_vectors_are_found_by_their_words() -> None:
    held = laid(PAGES, {})
    odds = held.scope("archive", held.scope.near(np.ones(WIDTH, dtype=np.float32)))
    assert held.scope.pages[int(np.argmax(odds))].name == "tar"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("manuals")
    (folder / "tar.md").write_text(
        "# tar\n\n> Archiving utility.\n\n- Create an archive:\n\n`tar cf {{a.tar}} {{file}}`\n\n"
        "- Extract an archive:\n\n`tar xf {{a.tar}}`\n"
    )
    (folder / "sort.md").write_text(
        "# sort\n\n> Sort lines of text.\n\n- Sort in reverse:\n\n`sort -r {{file}}`\n"
    )
    (folder / "leave.md").write_text("# Leave\n\nEverybody has thirty days of leave a year.\n")
    library = Library(Settings(workspace=folder / "workspace"), create=True)
    library.add([str(folder / name) for name in ("tar.md", "sort.md", "leave.md")])
    return library


def asked(library: Library, text: str, retriever: str = "fused") -> tuple[Passage, ...]:
    question = Question(text, scope=Scope(kind="manual"))
    return library.search(question, retriever, 3).passages


@pytest.mark.slow
def test_a_search_for_manuals_goes_by_page_and_section(library: Library) -> None:
    found = asked(library, "extract files from an archive")
    assert (found[0].title, found[0].place.heading) == ("tar", ("Extract an archive",))
    assert {one.kind for one in found} == {"manual"}
    assert "`tar xf {{a.tar}}`" in found[0].text


@pytest.mark.slow
def test_a_plain_retriever_is_used_where_it_is_named(library: Library) -> None:
    (first, *_) = asked(library, "archive", "bm25")
    assert first.kind == "manual" and first.score < 1.0


@pytest.mark.slow
def test_a_removed_manual_is_found_no_more(library: Library) -> None:
    (gone,) = {one.document for one in asked(library, "sort lines") if one.title == "sort"}
    library.remove([gone])
    assert {one.title for one in asked(library, "sort lines in reverse")} == {"tar"}


@pytest.mark.slow
def test_hints_are_searched_too_and_a_filter_is_kept(library: Library) -> None:
    from retrievers.manual import ScopeThenSection

    step = ScopeThenSection(library.shelf, library.parts.manuals, 2)
    hinted = step(Case(Question("总部"), hints=(Hint("query", "create an archive"),)))
    assert hinted.passages[0].title == "tar"
    nowhere = Question("create an archive", scope=Scope(where="year = 1066"))
    assert step(Case(nowhere)).passages == ()
