"""A plan of an LLM: an expression over the three functions, read and interpreted by our own code.

KnowledGPT has the LLM write a Python function and executes it (arXiv 2308.11761); a plan here is at
most a few assignments and an expression of calls, lists, strings and names. It is parsed to a
syntax tree against an allow-list and interpreted under limits of steps, depth, sizes and seconds;
it is never executed. Not here: its characters (words.py), the functions (functions.py).
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from retrievers.kb import results
from retrievers.kb.functions import Knowledge
from retrievers.kb.results import Aliases, PlanFailed, Result, joined
from retrievers.kb.words import checked, cut, refused

STEPS = 50  # calls of one plan
LINES = 20  # statements
LISTED = 50  # aliases in one list
SECONDS = 5.0
TOLD = 600  # characters of the messages of all steps
_TAKES = {
    "get_entity_info": 1, "find_entity_or_value": 2, "find_relationship": 2,
    "intersect": 2, "union": 2, "count": 1,
}  # fmt: skip
FUNCTIONS = tuple(_TAKES)
_ON_RESULTS = frozenset(("intersect", "union", "count"))
_MEND = "call one of " + ", ".join(FUNCTIONS)

Value = Aliases | Result


@dataclass(frozen=True, slots=True)
class Plan:
    """(name or "", expression) of each line; the last one gives the result."""

    lines: tuple[tuple[str, ast.expr], ...]


@dataclass(slots=True)
class _Run:
    """What one interpretation has used so far."""

    knowledge: Knowledge
    ends: float
    names: dict[str, Value] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)  # one message a step


def parsed(text: str) -> Plan:
    """The plan that a text is; PlanFailed says in one line what a plan cannot be."""
    source = checked(text.strip())
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        line = cut((error.text or source).strip())
        raise refused(f"{line} is no plan ({error.msg}): write one call a line") from None
    except (ValueError, MemoryError, RecursionError):
        raise refused(f"{cut(source)} cannot be read: write one call a line") from None
    if not tree.body:
        raise refused(f"the plan is empty: {_MEND}")
    if len(tree.body) > LINES:
        told = f"the plan has {len(tree.body)} lines, over {LINES}: ask for less"
        raise PlanFailed("plan_too_many_steps", told)
    lines = tuple(_line(one, last=one is tree.body[-1]) for one in tree.body)
    calls = sum(isinstance(node, ast.Call) for node in ast.walk(tree))
    if calls > STEPS:
        told = f"the plan has {calls} calls, over {STEPS}: ask for less"
        raise PlanFailed("plan_too_many_steps", told)
    known: set[str] = set()
    for name, expression in lines:
        _check(expression, known)
        known |= {name} - {""}
    return Plan(lines)


def interpreted(plan: Plan, knowledge: Knowledge, seconds: float = SECONDS) -> Result:
    """What the plan's last line gives, with the messages of all steps; PlanFailed over a limit."""
    state = _Run(knowledge, time.monotonic() + seconds)
    value: Value = Aliases()
    for name, expression in plan.lines:
        value = _value(expression, state)
        if name:
            state.names[name] = value
    if not isinstance(value, Result):
        raise refused(f"the last line is a list, no call: {_MEND}")
    told = "; ".join(dict.fromkeys(state.said))
    return replace(value, message=told if len(told) <= TOLD else told[: TOLD - 3] + "...")


def _line(statement: ast.stmt, *, last: bool) -> tuple[str, ast.expr]:
    """(the name that is assigned, or "", the expression)."""
    if isinstance(statement, ast.Expr):
        if not last:
            raise refused(f"{_source(statement)} is given no name: write name = ... before it")
        return "", statement.value
    if not isinstance(statement, ast.Assign):
        raise refused(f"{_source(statement)} is no assignment and no call: {_MEND}")
    target = statement.targets[0]
    if len(statement.targets) > 1 or not isinstance(target, ast.Name):
        raise refused(f"{_source(statement)} assigns to more than a name: write name = call")
    if target.id in _TAKES:
        raise refused(f"{cut(target.id)} is a function: assign to another name")
    return target.id, statement.value


def _check(node: ast.expr, known: set[str]) -> None:
    """PlanFailed for the first node that is not on the list."""
    if isinstance(node, ast.Call):
        _check_call(node)
        for argument in node.args:
            _check(argument, known)
    elif isinstance(node, ast.List):
        if len(node.elts) > LISTED:
            told = f"a list has {len(node.elts)} items, over {LISTED}: give fewer aliases"
            raise PlanFailed("plan_too_large", told)
        for item in node.elts:
            _check(item, known)
    elif isinstance(node, ast.Name):
        if node.id not in known:
            raise refused(f"the name {cut(node.id)} is not assigned before: write {node.id} = ...")
    elif not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        raise refused(f"{_source(node)} is no call, list, string or name: {_MEND}")


def _check_call(node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _TAKES:
        raise refused(f"{_source(node.func)} is no function of a plan: {_MEND}")
    if node.keywords:
        given = node.keywords[0].arg or "**"
        raise refused(f"{cut(given)} is given to {name} by name: write arguments by position")
    if len(node.args) != _TAKES[name]:
        takes = f"{_TAKES[name]} argument{'s' if _TAKES[name] > 1 else ''}"
        raise refused(f"{name} is given {len(node.args)}: it takes {takes}")


def _value(node: ast.expr, state: _Run) -> Value:
    if isinstance(node, ast.Call):
        return _called(node, state)
    if isinstance(node, ast.Name):
        return state.names[node.id]
    if isinstance(node, ast.List):
        return _together([_value(item, state) for item in node.elts])
    assert isinstance(node, ast.Constant)
    return Aliases((str(node.value),))


def _called(node: ast.Call, state: _Run) -> Result:
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    given = [_value(argument, state) for argument in node.args]
    if len(state.said) >= STEPS:
        raise PlanFailed("plan_too_many_steps", f"over {STEPS} calls: ask for less")
    if time.monotonic() > state.ends:
        raise PlanFailed("plan_too_slow", f"{name} was not reached in time: ask for less")
    if name in _ON_RESULTS:
        own = [one for one in given if isinstance(one, Result)]
        if len(own) < len(given):
            raise refused(f"{name} is given a list of strings: it takes results of calls")
        found = _of_results(name, own)
    else:
        found = _found(name, given, state.knowledge)
    state.said.append(found.message)
    return found


def _found(name: str, given: list[Value], knowledge: Knowledge) -> Result:
    functions: dict[str, Callable[..., Result]] = {
        "get_entity_info": knowledge.get_entity_info,
        "find_entity_or_value": knowledge.find_entity_or_value,
        "find_relationship": knowledge.find_relationship,
    }
    return functions[name](*given)


def _of_results(name: str, given: list[Result]) -> Result:
    if name == "count":
        return results.count(given[0])
    return (results.intersect if name == "intersect" else results.union)(*given)


def _together(values: list[Value]) -> Aliases:
    """A list: its strings are aliases of one thing, its results are things that were found."""
    written: dict[str, None] = {}
    known: dict[str, tuple[int, ...]] = {}
    for one in map(results.asked, values):
        written |= dict.fromkeys(one.written)
        for value, edges in one.known.items():
            known[value] = joined(known.get(value, ()), edges)
    return Aliases(tuple(written), known)


def _source(node: ast.AST) -> str:
    return cut(ast.unparse(node))
