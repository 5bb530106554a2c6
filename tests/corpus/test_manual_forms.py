"""Which documents become manuals, by their form alone; man pages and docstrings always do."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from corpus.formats.canvas import whole
from corpus.formats.docstrings import parse as docstrings
from corpus.formats.man import parse as man
from corpus.manual import as_manual
from corpus.package import sources
from corpus.parsed import MANUAL, Parsed, ParseFailure
from corpus.sandbox import Sandbox
from corpus.split import Splitter
from corpus.walk import walk
from tests.conftest import ROOT

TAR = """# tar

> Archiving utility.
> More information: <https://www.gnu.org/software/tar>.

- [c]reate an archive:

`tar cf {{target.tar}} {{file}}`

- List the files of an archive:

`tar tf {{source.tar}}`"""
REFERENCE = """# json.dumps

Serialise an object.

## Parameters

- `indent`: spaces of each level.

## Example

```python
json.dumps({"a": 1}, indent=2)
```
"""
README = """# Harbour

Harbour keeps the timetable of our ferries.

## Usage

```sh
harbour serve --port 8000
harbour sync
```

Ask the operations team before you change a pier.
"""
PAGE = r"""'\" t
.\" a comment
.de XX
not printed
..
.TH GREET 1 "2020" "greet 1.0"
.if n .nh
.SH NAME
greet, hello \- say a greeting
.SH SYNOPSIS
.B greet
.RB [ \-l ]
.I name
.SH OPTIONS
.TP
.BR \-l ", " \-\-loud
Say it \fIloudly\fR.
.SH EXAMPLES
.nf
greet \-l Ada |
    tee out
.fi
"""


def read(text: str, title: str = "t") -> Parsed:
    return as_manual(Parsed(None, title, text, "text/markdown", whole(text)))


def quoted(parsed: Parsed) -> list[tuple[tuple[str, ...], str]]:
    return [(one.heading, parsed.text[one.start : one.end]) for one in parsed.sections]


def test_a_page_of_commands_is_a_manual_with_a_section_for_each_example() -> None:
    found = read(TAR)
    assert (found.media_type, found.title, found.text) == (MANUAL, "tar", TAR)
    assert quoted(found)[1:] == [
        (("create an archive",), "- [c]reate an archive:\n\n`tar cf {{target.tar}} {{file}}`"),
        (("List the files of an archive",),
         "- List the files of an archive:\n\n`tar tf {{source.tar}}`"),
    ]  # fmt: skip
    assert quoted(found)[0][1].startswith("> Archiving utility.")


def test_a_page_of_commands_in_json_lines_keeps_its_id_and_text(sandbox: Sandbox) -> None:
    line = json.dumps({"id": "common/tar", "platform": "common", "text": TAR}).encode()
    (found,) = sandbox.parse(None, line, "pages.jsonl")
    assert isinstance(found, Parsed)
    assert (found.id, found.title, found.text) == ("common/tar", "tar", TAR)
    assert found.media_type == MANUAL and len(found.sections) == 3


def test_a_page_of_reference_is_a_manual() -> None:
    found = read(REFERENCE)
    assert (found.media_type, found.title) == (MANUAL, "json.dumps")
    assert [heading for heading, _ in quoted(found)] == [(), ("Parameters",), ("Example",)]


@pytest.mark.parametrize(
    "text",
    [
        README,
        TAR.replace("> Archiving utility.\n> More", "Archiving utility. More"),
        TAR + "\n\nWe use it every Friday.",
        "# Returns\n\n> Our policy.\n\n- Goods may be returned within 30 days.\n- Keep the bill.",
        "# Notes\n\n## Examples\n\nnone\n\n## Parameters\n\n```\ncurl localhost\n```",
        "",
    ],
)
def test_other_markdown_stays_text(text: str) -> None:
    before = Parsed(None, "t", text, "text/markdown", whole(text))
    assert as_manual(before) == before


def test_of_our_own_markdown_only_the_pages_of_commands_are_manuals() -> None:
    paths = [path.relative_to(ROOT) for path in sorted(ROOT.rglob("*.md"))
             if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]  # fmt: skip
    found = {path for path in paths
             if read((ROOT / path).read_text(encoding="utf-8")).media_type == MANUAL}  # fmt: skip
    assert len(paths) > 5
    assert found == {path for path in paths if path.parent.name == "manual"}


def test_passages_of_a_manual_are_of_that_kind_and_keep_page_and_section() -> None:
    cut = Splitter(lambda texts: [len(text.split()) for text in texts], 100)(read(TAR))
    assert {one.kind for one in cut.passages} == {"manual"}
    assert cut.passages[1].heading == ("create an archive",)
    assert cut.passages[1].context == "tar › create an archive"
    assert cut.passages[1].text == TAR[cut.passages[1].start : cut.passages[1].end]


def test_a_passage_of_a_manual_never_ends_within_a_line_that_fits() -> None:
    lines = "\n".join(f"`tar xf part{n}.tar. Then rest` and words" for n in range(20))
    text = TAR.replace("> Archiving utility.", "> " + lines.replace("\n", "\n> "))
    cut = Splitter(lambda texts: [len(text.split()) for text in texts], 30)(read(text))
    ends = {text[one.end : one.end + 1] for one in cut.passages}
    assert len(cut.passages) > 5 and ends <= {"\n", ""}


@pytest.mark.parametrize("packed", [False, True])
def test_a_man_page_is_read_by_its_headings(sandbox: Sandbox, packed: bool) -> None:
    data = gzip.compress(PAGE.encode()) if packed else PAGE.encode()
    (found,) = sandbox.parse(None, data, "greet.1.gz" if packed else "greet.1")
    assert isinstance(found, Parsed)
    assert (found.title, found.media_type, found.metadata) == ("greet", MANUAL, {"section": "1"})
    assert quoted(found) == [
        (("NAME",), "greet, hello - say a greeting"),
        (("SYNOPSIS",), "greet [-l] name"),
        (("OPTIONS",), "-l, --loud\nSay it loudly."),
        (("EXAMPLES",), "greet -l Ada |\n    tee out"),
    ]


def test_a_man_page_in_mdoc_is_read_too() -> None:
    page = (".Dd May 1\n.Dt WC 1\n.Sh NAME\n.Nm wc\n.Nd count words\n.Sh SYNOPSIS\n.Nm\n"
            ".Op Fl lw\n.Op Ar\n.Sh SEE ALSO\n.Xr cat 1 ,\n.Xr tr 1\n")  # fmt: skip
    (found,) = man(page.encode(), "wc.1")
    assert isinstance(found, Parsed)
    assert [text for _, text in quoted(found)] == [
        "wc - count words", "wc [-lw] [file ...]", "cat(1), tr(1)"
    ]  # fmt: skip


def test_a_page_that_only_points_elsewhere_says_so() -> None:
    (found,) = man(b".so man1/greet.1\n", "hello.1")
    assert found == ParseFailure("hello.1", "only a pointer to man1/greet.1: add that page")


def test_damaged_gzip_is_refused() -> None:
    (found,) = man(b"\x1f\x8bnot gzip", "x.1.gz")
    assert isinstance(found, ParseFailure) and "damaged gzip" in found.reason


def test_a_log_with_a_number_for_its_ending_is_no_man_page(sandbox: Sandbox) -> None:
    (found,) = sandbox.parse(None, b"12:00 started\n12:01 stopped\n", "today.1")
    assert isinstance(found, Parsed) and found.media_type == "text/plain"


MODULE = '''"""Tools for words."""
import os
os.abort()

def count(text: str, *, least: int = 1) -> int:
    """Count words.

    Returns
    -------
    How many.
    """

def _hidden():
    """No."""

class Box:
    """A box."""

    def __init__(self, size: int) -> None: ...

    async def open(self, wide=False):
        """Open it."""
'''


def test_docstrings_are_read_without_running_the_module() -> None:
    found = [one for one in docstrings(MODULE.encode(), "py:words") if isinstance(one, Parsed)]
    assert [one.id for one in found] == ["py:words", "py:words.count", "py:words.Box",
                                         "py:words.Box.open"]  # fmt: skip
    assert found[1].title == "words.count" and found[1].media_type == MANUAL
    assert quoted(found[1]) == [
        ((), "`words.count(text: str, *, least: int=1) -> int`\n\nCount words."),
        (("Returns",), "How many."),
    ]
    assert found[2].text.startswith("`class words.Box(size: int)`\n\nA box.")
    assert found[3].text.startswith("`async words.Box.open(wide=False)`")


def test_what_is_no_python_is_a_failure() -> None:
    (found,) = docstrings(b"def (:", "py:broken")
    assert isinstance(found, ParseFailure) and "not Python" in found.reason


def test_a_package_is_walked_as_its_public_modules() -> None:
    names = {one.name for one in walk(["py:json"]) if not isinstance(one, ParseFailure)}
    assert names == {"py:json", "py:json.decoder", "py:json.encoder", "py:json.scanner",
                     "py:json.tool"}  # fmt: skip


@pytest.mark.parametrize("typed", ["py:nothing_of_that_name", "py:", "py:../x", "py:json.none"])
def test_a_package_that_is_not_there_is_a_failure(typed: str) -> None:
    assert isinstance(sources(typed), str)


def test_finding_a_package_does_not_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "explosive").mkdir()
    (tmp_path / "explosive" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "explosive" / "inner.py").write_text('"""Inside."""')
    monkeypatch.syspath_prepend(str(tmp_path))
    found = sources("py:explosive.inner")
    assert [name for _, name in found] == ["py:explosive.inner"]
