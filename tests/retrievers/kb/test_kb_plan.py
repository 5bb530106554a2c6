"""Plans of an LLM: what they may say, and that whatever else they say is refused at once."""

from __future__ import annotations

import time

import pytest

from retrievers.graph.link import names_of
from retrievers.kb import plan
from retrievers.kb.entities import Base
from retrievers.kb.functions import Knowledge
from retrievers.kb.plan import interpreted, parsed
from retrievers.kb.results import PlanFailed, Result
from tests.retrievers.graph.family import family, words_apart

GRAPH = family()
KNOWN = Knowledge((Base("family", GRAPH, names_of(GRAPH)),), words_apart)
INFO = 'get_entity_info(["Oslo"])'
DEEP = "get_entity_info("
GOOD = {
    'find_entity_or_value(["Bo Berg"], ["born in"])': {"Oslo"},
    "find_entity_or_value('Bo Berg', 'born in')": {"Oslo"},
    'find_entity_or_value(find_entity_or_value(["Anna Berg"], ["parent"]), ["spouse"])': {
        "Dana Holm", "Erik Dahl"},
    'kids = find_entity_or_value(["Anna Berg"], ["parent"])\n'
    'homes = find_entity_or_value(kids, ["born in"])  # where\nhomes': {"Oslo", "Bergen (Norway)"},
    'a = ["Oslo"]\r\nb = ["country"]\r\nc = find_entity_or_value(a, b)': {"Norway"},
    'count(find_entity_or_value(["Anna Berg"], ["parent"]))': {"2"},
    'intersect(find_entity_or_value(["Norway"], ["country [inverse]"]),\n'
    '  find_entity_or_value(["Erik Dahl"], ["born in"]))': {"Oslo"},
    'union(find_entity_or_value(["Bo Berg"], ["spouse"]),'
    ' find_entity_or_value(["Cleo Berg"], ["spouse"]))': {"Dana Holm", "Erik Dahl"},
    'find_relationship(["Bo Berg"], ["Dana Holm"])': {"spouse"},
    'find_entity_or_value(["Bo " "Berg"], find_relationship(["Erik Dahl"], ["Oslo"]))': {"Oslo"},
    'get_entity_info(["Malmö", "say \\"it\\""])': {"Malmö"},
    'a = get_entity_info(["Bo Berg"])\nfind_entity_or_value([a, "Dana Holm"], ["born in"])': {
        "Oslo", "Malmö"},
}  # fmt: skip
HOSTILE = [
    "", "   \n\n", "# only a remark", "NONE at all", "I cannot do that, sorry.", "None", "...",
    "\0",
    "().__class__.__bases__[0].__subclasses__()", 'get_entity_info.__globals__["os"]',
    '"".__class__', INFO + ".message", INFO + ".__class__", "__import__('os').system('id')",
    "__builtins__", "_", "_a = " + INFO, 'getattr(count, "x")', "globals()", "vars()", "open('x')",
    'eval("1")', "exec('import os')", "compile('1', '', 'eval')", "print('x')", "breakpoint()",
    "input()", "type('x')", "help()", "import os", "from os import system\nsystem('id')",
    "lambda: 0", "(lambda f: f(f))(lambda f: f(f))", "[a for a in 'abc']",
    "[x for x in [1]*9**9 for y in x]", "{a: a for a in 'x'}", "{'a'}", "{}", "(a for a in 'x')",
    'f"{open}"', "f'{().__class__}'", 'rb"x"', 'b"x"', "r'x'", "u'x'", '"""Oslo"""', "'Oslo",
    "get_entity_info(aliases=['Oslo'])", "get_entity_info(*['Oslo'])", "get_entity_info(**{})",
    "get_entity_info(['Oslo'], 'x')", "get_entity_info()", "count()", "intersect(count)",
    "get_entity_info(**'x')", "get_entity_info(x='Oslo', x='y')", "count = " + INFO,
    "get_entity_info = count", "union = union", "9**9**9**9", "'a' * 1000000000", "1e9", "10**100",
    "1" * 3_999, "'a' + 'b'", "'x' % 'y'", "-" * 3_999, "not " * 900, "~" * 3_999, "a := 'x'",
    "(a := " + INFO + ")", "get_entity_info(a := 'x')", "await x", "yield", "yield from 'x'",
    "async def f(): pass", "@count\ndef f(): pass", "def f():\n  return f()\nf()",
    "class A: pass", "while True: pass", "for x in 'x': pass", "if True: pass", "try: pass",
    "with a: pass", "del count", "global count", "raise x", "assert 'x'", "return 'x'", "pass",
    "'Oslo'[0]", "['Oslo'][0:1]", INFO + "[0]", "'a' if 'b' else 'c'", "'a' and 'b'", "'a' == 'b'",
    "a = a\na", "a = get_entity_info(a)\na", "a, b = 'x', 'y'\na", "[a] = [" + INFO + "]\na",
    "a = b = " + INFO, "a: str = 'x'", "a += 'x'", "a.b = " + INFO, "a[b] = 'x'",
    INFO + "; " + INFO,
    INFO + "\n" + INFO, "'Oslo'", "['Oslo']", "a = ['Oslo']", "('Oslo', 'x')", "()", "count",
    "count('Oslo')", "union(['Oslo'], ['Malmo'])", "union(" + INFO + ", ['Moon'])",
    "get_entity_info(('Oslo',))", "get_entity_info(get_entity_info)", "get_entity_info(count)",
    "get_entity_info('eval(1)')('x')", "'get_entity_info'(['Oslo'])", "[count](['x'])",
    "ｃount(" + INFO + ")", "get_entity_infо(['Oslo'])", "é = " + INFO, "“Oslo”", "a\u2028b",
    "get_entity_info(['\\N{BULLET}'])", "get_entity_info(['\\x41'])",
    "get_entity_info(['\\ud800'])",
    "get_entity_info(['\ud800'])", "get_entity_info(['a\0b'])", "a = \\\n" + INFO,
    "match x:\n pass",
    "(" * 10_000, "[" * 3_999, DEEP * 250, DEEP * 240 + "'x'" + ")" * 240,
    "(" * 1_000 + ")" * 1_000,
    "[" * 25 + "]" * 25, "{" * 2_000, "lambda:" * 500, "a." * 1_900, "x" * 4_001, "x" * 10_000_000,
    "get_entity_info(['" + "x" * 201 + "'])", "get_entity_info([" + "'x'," * 51 + "])",
    "\n".join(f"a{n} = " + INFO for n in range(21)), "a = " + "union(" * 20 + INFO,
    "[" + ",".join([INFO] * 51) + "]", "a=" + "[" * 20 + "]" * 20, ")" * 3_000 + "(" * 3_000,
    "''" * 1_999, "if " * 1_300, "get_entity_info(['Oslo']", "get_entity_info(['Oslo'}", "\t\tx",
    "  get_entity_info(['Oslo'])\n get_entity_info(['Oslo'])", "print 'x'", "exec 'x'", "a b",
    "= x",
    "get_entity_info([,])", "get_entity_info(['Oslo'] ['Malmo'])", "<?php system('id'); ?>",
    "SELECT * FROM triples", "$(id)", "`id`", "!id", "%timeit x", "\ufeff\ufeff" + INFO,
]  # fmt: skip


def outcome(text: str) -> Result:
    return interpreted(parsed(text), KNOWN)


@pytest.mark.parametrize("text", GOOD)
def test_a_plan_gives_what_its_calls_find(text: str) -> None:
    found = outcome(text)
    assert set(found.values) == GOOD[text] and found.edges


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_no_plan_is_refused_at_once_in_one_line(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(PlanFailed) as error:
        outcome(text)
    assert time.monotonic() - started < 0.5
    told = str(error.value)
    assert error.value.code.startswith("plan_") and told and "\n" not in told and len(told) < 300
    told.encode()  # it is stored and shown to a model


def test_errors_name_the_value_and_the_mend() -> None:
    for text, told in {
        "os.system('x')": "attributes are no part of a plan",
        "open('x')": "'open' is no function of a plan: call one of get_entity_info",
        "count(1)": "the number at '1)': write values as strings",
        "get_entity_info(aliases=['x'])": "'aliases' is given to get_entity_info by name",
        "count()": "count is given 0: it takes 1 argument",
        "lambda: 0": "a plan has no lambda",
        "find_entity_or_value(a, 'x')": "the name 'a' is not assigned before: write a = ...",
    }.items():
        with pytest.raises(PlanFailed) as error:
            outcome(text)
        assert told in str(error.value)


def test_a_plan_that_grows_by_its_own_names_ends_within_its_steps() -> None:
    lines = ['a = find_entity_or_value(["Anna Berg"], ["parent"])']
    lines += ["a = union(a, union(a, a))"] * 18
    started = time.monotonic()
    assert outcome("\n".join([*lines, "a"])).values == ("Bo Berg", "Cleo Berg")
    assert time.monotonic() - started < 0.5
    with pytest.raises(PlanFailed) as error:
        outcome("\n".join(["b = [" + ",".join([INFO] * 6) + "]"] * 9 + [INFO]))
    assert error.value.code == "plan_too_many_steps"


def test_a_plan_ends_when_its_time_is_over() -> None:
    with pytest.raises(PlanFailed) as error:
        interpreted(parsed(INFO), KNOWN, seconds=-1)
    assert error.value.code == "plan_too_slow"


def test_a_plan_cannot_reach_beyond_the_six_functions() -> None:
    methods = [name for name in dir(KNOWN) if not name.startswith("_")]
    for name in {*methods, "bases", "embed", "about"} - set(plan.FUNCTIONS):
        with pytest.raises(PlanFailed):
            outcome(f"{name}(['Oslo'])")
