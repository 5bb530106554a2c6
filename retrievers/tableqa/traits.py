"""Names of what a candidate program is and how it lies in the question.

Two lists a candidate: traits, which are crossed with the question's phrases, and facts, which say
themselves how program and question fit (is the column mentioned, after which word, is a linked cell
left over, is the answer's kind what the question word asks for). Not here: hashing (features.py).
"""

from __future__ import annotations

from retrievers.tableqa.candidates import Candidate
from retrievers.tableqa.cells import BLANK
from retrievers.tableqa.frame import ROW, Frame
from retrievers.tableqa.linking import OPERATIVE, Link, Question
from retrievers.tableqa.programs import Order, Program, Rows, Where
from retrievers.tableqa.words import STOP

Names = list[str]
_ASKS = {"who", "when", "where", "what", "which", "how", "whose", "whom", "name", "list", "did",
         "was", "is", "were", "does", "in", "on", "other", "tell", "are"}  # fmt: skip


class Traits:
    """The names for one question over one frame; parts that candidates share are named once."""

    def __init__(self, question: Question, frame: Frame) -> None:
        self.question = question
        self.frame = frame
        self._rows: dict[Rows, tuple[str, Names, Names]] = {}
        self._columns: dict[tuple[str, int], tuple[Names, Names]] = {}
        self._links: dict[tuple[Link, ...], Names] = {}
        self._ask = _ask(question)
        self._said = f" {' '.join(question.stems)} "
        known = OPERATIVE | question.title
        self._content = [i for i, w in enumerate(question.words)
                         if w not in OPERATIVE and question.stems[i] not in known]  # fmt: skip

    def of(self, candidate: Candidate) -> tuple[Names, Names]:
        """(traits, facts) of one candidate."""
        program = candidate.program
        shape, traits, facts = self._of_rows(program.rows)
        if program.other:
            shape = f"{shape}|{self._of_rows(program.other)[0]}"
        head = f"{program.op}/{shape}"
        traits = [f"op:{program.op}", f"sh:{head}", *traits]
        facts = [f"sh:{head}", *facts]
        if program.op not in {"count", "streak", "count_difference", "count_sum"}:
            more, alone = self._of_column("p", program.column)
            traits += more
            facts += alone
            facts += self._relation(program)
            kind = self.frame.columns[program.column].kind
            facts.append(f"ask:{self._ask}:{program.op}:{kind}")
        facts += self._of_result(candidate, shape)
        size = len(candidate.result.values)
        traits.append(f"n:{'1' if size == 1 else 'some' if size < 6 else 'many'}")
        facts += self._of_links(candidate.links, head)
        facts += self._coverage(candidate)
        return traits, facts

    def _of_rows(self, rows: Rows) -> tuple[str, Names, Names]:
        known = self._rows.get(rows)
        if known is None:
            known = self._rows[rows] = self._name_rows(rows)
        return known

    def _name_rows(self, rows: Rows) -> tuple[str, Names, Names]:
        tests = "".join(sorted(_SHORT.get(where.test, where.test) for where in rows.where))
        shape = f"{tests}{'|' if rows.either else ''}"
        traits: Names = [f"w:{tests}"]
        facts: Names = []
        for where in rows.where:
            self._name_where(where, traits, facts)
        if rows.order:
            shape += f">{self._name_order(rows, rows.order, traits, facts)}"
        if rows.step:
            shape += f"~{rows.step}"
            traits.append(f"st:{rows.step}")
            if rows.step == "same":
                facts += self._of_column("s", rows.step_column)[1]
        return shape, traits, facts

    def _name_where(self, where: Where, traits: Names, facts: Names) -> None:
        if where.value in BLANK:
            traits.append(f"gap:{where.test}")
        mention = self.question.best.get(where.column)
        facts.append(f"wc:{where.test}:{_share(mention)}")
        traits.append(f"wk:{self.frame.columns[where.column].kind}:{where.test}")
        if not isinstance(where.value, str):
            traits.append(f"cmp:{where.test}")
            more, alone = self._of_column("c", where.column)
            traits += more
            facts += alone

    def _name_order(self, rows: Rows, order: Order, traits: Names, facts: Names) -> str:
        """Which way: first, last, min or max."""
        column, up = order.column, order.largest
        way = ("last" if up else "first") if column == ROW else "max" if up else "min"
        traits.append(f"o:{way}")
        facts.append(f"o:{way}:{'some' if rows.where else 'all'}")
        if column != ROW:
            more, alone = self._of_column("o", column)
            traits += [*more, f"ok:{way}:{self.frame.columns[column].kind}"]
            traits += [f"oh:{way}:{h}" for h in self.frame.columns[column].stems[:4]]
            facts += alone
        return way

    def _of_column(self, role: str, number: int) -> tuple[Names, Names]:
        known = self._columns.get((role, number))
        if known is None:
            known = self._columns[role, number] = self._name_column(role, number)
        return known

    def _name_column(self, role: str, number: int) -> tuple[Names, Names]:
        column = self.frame.columns[number]
        mention = self.question.best.get(number)
        traits = [
            f"{role}k:{column.kind}",
            f"{role}s:{column.kind}:{column.look}",
            *(f"{role}h:{h}" for h in column.stems[:5]),
        ]
        unique = column.distinct == len(self.frame)
        facts = [
            f"{role}m:{_share(mention)}", f"{role}m:{_share(mention)}:{column.kind}",
            f"{role}at:{min(number, 3)}", f"{role}u:{unique}",
            f"{role}name:{number == self.frame.first_text}",
            f"{role}rest:{self._others(number)}:{_share(mention)}",
        ]  # fmt: skip
        if mention:
            words = self.question.stems
            left = words[mention.start - 1] if mention.start else "^"
            further = words[mention.start - 2] if mention.start > 1 else "^"
            right = words[mention.end] if mention.end < len(words) else "$"
            facts += [f"{role}l:{left}", f"{role}ll:{further} {left}", f"{role}r:{right}",
                      f"{role}first:{mention.start < 4}"]  # fmt: skip
        return traits, facts

    def _others(self, number: int) -> int:
        """How many columns are mentioned more fully than this one, at most 2."""
        mention = self.question.best.get(number)
        own = mention.share if mention else 0.0
        return min(2, sum(m.share > own for m in self.question.best.values()))

    def _relation(self, program: Program) -> Names:
        """How the projected column stands to the columns that chose the rows."""
        used = {where.column for where in program.rows.where}
        order = program.rows.order.column if program.rows.order else None
        near = "same" if program.column in used else "order" if program.column == order else "other"
        return [f"rel:{program.op}:{near}:{program.rows.step}"]

    def _of_result(self, candidate: Candidate, shape: str) -> Names:
        values = candidate.result.values
        size = "1" if len(values) == 1 else "2" if len(values) == 2 else "few" if len(
            values) < 6 else "many"  # fmt: skip
        op = candidate.program.op
        first = values[0]
        told = self._is_said(candidate)
        number = first.isdigit()
        kind = ("0" if first == "0" else "1" if first == "1" else
                "small" if number and len(first) < 3 else "year" if number and len(first) == 4
                else "number" if number else "other")  # fmt: skip
        ask = self._ask
        return [f"n:{size}:{ask}", f"n:{size}:{op}", f"v:{kind}:{op}", f"v:{kind}:{ask}",
                f"said:{told}:{op}", f"said:{told}:{shape}"]  # fmt: skip

    def _is_said(self, candidate: Candidate) -> bool:
        """Whether the question itself holds the answer."""
        program, result = candidate.program, candidate.result
        if program.op not in {"cells", "more", "fewer", "frequent", "rare"} or not result.rows:
            return f" {result.values[0]} " in self._said
        return self.frame.joined[result.rows[0]][program.column] in self._said

    def _of_links(self, links: tuple[Link, ...], head: str) -> Names:
        known = self._links.get(links)
        if known is None:
            known = self._links[links] = self._name_links(links)
        return known

    def _name_links(self, links: tuple[Link, ...]) -> Names:
        words = self.question.stems
        names: Names = []
        for link in links:
            length = min(link.end - link.start, 4)
            left = words[link.start - 1] if link.start else "^"
            header = self.frame.columns[link.where.column]
            names += [f"l:{link.how}:{length}", f"lr:{min(len(link.rows), 4)}:{link.how}",
                      f"ll:{left}", f"lk:{header.kind}:{link.how}",
                      f"lf:{link.where.column == self.frame.first_text}"]  # fmt: skip
            names += [f"llh:{left}:{head}" for head in header.stems[:3]]
            names.append(f"lrank:{min(self.question.links.index(link), 5)}")
            rivals = [o for o in self.question.links if o.start == link.start and o != link]
            names.append(f"lriv:{min(len(rivals), 3)}")
        covered = {i for link in links for i in range(link.start, link.end)}
        left_over = self.question.linked - covered
        content = sum(i in left_over for i in self._content)
        names.append(f"left:{min(content, 5)}")
        names.append(f"links:{len(links)}:{min(content, 5)}")
        return names

    def _coverage(self, candidate: Candidate) -> Names:
        """How many words that say something neither links nor mentioned columns explain."""
        covered = self._covered(candidate)
        open_words = sum(i not in covered for i in self._content)
        numbers = sum(at not in covered for _, at in self.question.numbers)
        where = candidate.program.rows.where
        compared = sum(not isinstance(each.value, str) for each in where)
        return [f"open:{min(open_words, 6)}", f"num:{max(0, numbers - compared)}:{compared}"]

    def open_words(self, candidate: Candidate, span: tuple[int, int]) -> int:
        """How many words that say something lie outside of the program and of [start, end)."""
        covered = self._covered(candidate) | set(range(*span))
        return sum(i not in covered for i in self._content)

    def _covered(self, candidate: Candidate) -> set[int]:
        covered = {i for link in candidate.links for i in range(link.start, link.end)}
        program = candidate.program
        counted = program.op == "streak" or program.op.startswith("count")
        columns = set() if counted else {program.column}
        columns |= {where.column for where in program.rows.where}
        if program.rows.order:
            columns.add(program.rows.order.column)
        for column in columns:
            mention = self.question.best.get(column)
            if mention:
                covered.update(range(mention.start, mention.end))
        return covered


_SHORT = {"is": "i", "has": "h", "not": "!"}


def _share(mention: object) -> str:
    share = getattr(mention, "share", 0.0)
    return "all" if share >= 0.99 else "half" if share >= 0.5 else "some" if share else "none"


def _ask(question: Question) -> str:
    """The question word and the word behind it when it is "how" or "what"."""
    words = question.stems
    for i, word in enumerate(words):
        if word in _ASKS and word not in {"in", "on", "is", "was", "did"}:
            if word == "how" and i + 1 < len(words):
                return f"how {words[i + 1]}"
            return word
    return words[0] if words and words[0] in STOP | _ASKS else "none"
