"""Answers from graphs and tables on the page: the edge or the rows lit, the path or SQL told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Pilotfish
from tests.page.conftest import Visit
from tests.workers.conftest import Service, serving

pytestmark = pytest.mark.slow
EDGES = "Anna Berg\tmanages\tSales\nBo Dahl\tmanages\tOperations\n"
STOCK = """year,city,host,visitors
2019,Oslo,Anna,1200
2020,Bergen,Bo,900
2021,Oslo,Cleo,1500
2022,Tromso,Dana,300
"""


@pytest.fixture(scope="module")
def structured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("structured-page")
    (folder / "org.triples.tsv").write_text(EDGES)
    (folder / "visitors.csv").write_text(STOCK)
    pilotfish = Pilotfish(folder, folder / "workspace")
    pilotfish("add", "org.triples.tsv", "visitors.csv")
    with serving(pilotfish, folder) as service:
        yield service


def test_a_click_on_an_edge_lights_its_line(
    structured: Service, visit: Callable[..., Visit]
) -> None:
    page = visit(structured).ask("Who manages Sales?")
    assert "Anna Berg" in page.inner_text(".answer")
    page.click(".answer a.chip")
    quote = page.locator("#source mark.quote")
    quote.wait_for()
    assert quote.inner_text() == "Anna Berg — manages — Sales"
    assert "manages [inverse]" in page.inner_text("dl.receipt")


def test_a_click_on_cells_lights_their_row_and_the_sql_is_told(
    structured: Service, visit: Callable[..., Visit]
) -> None:
    asked = {"question": "which host was there in 2020?", "table": "visitors.csv"}
    job = structured.post("/v1/answers", asked).json["job"]
    page = visit(structured).open(f"/answers/{job}/0")
    assert page.inner_text(".answer .sentence").startswith("Bo")
    page.click(".answer a.chip")
    lit = page.locator("#source tr.lit")
    lit.first.wait_for()
    assert lit.count() == 1 and "Bergen" in lit.inner_text()
    assert "SELECT" in page.inner_text("dl.receipt")
