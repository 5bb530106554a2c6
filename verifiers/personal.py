"""Personal data in an answer, by rules with checksums: cards, IBAN, e-mail, phone, IP, URL, names.

Cards need Luhn's digit (ISO/IEC 7812), IBANs the remainder 1 mod 97 (ISO 13616); names are found
only where a pattern introduces them ("my name is", "Dr."), so most names are not found: no list
of names is kept. Not here: documents; what is stored is the user's own.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from verifiers.draft import Change

KINDS = (
    "CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "DOMAIN_NAME",
    "US_SSN", "PERSON",
)  # fmt: skip
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,18}(?![\w])")
_IBAN = re.compile(
    r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?(?!\w)", re.I
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?<![.-])")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'）)\]]+(?<![.,;:!?])", re.I)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.I)
_SSN = re.compile(r"(?<![\w-])(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w.,/-])(?<!\d )(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?"
    r"\d(?:[ .-]{0,2}\d){4,13}(?:x\d{1,5})?(?![\w/]|[ .,-]{1,2}\d)"
)
_CALLED = re.compile(
    r"\b(?:phone|call|tel|telephone|mobile|cell|fax|number|contact|whatsapp|text)\b", re.I
)
_NO_PHONE = re.compile(  # dates, and thousands
    r"\d{4}-\d\d-\d\d.*|\d\d[./-]\d\d[./-]\d{4}.*|\d{1,2}(?:\.\d{3})+"
)
_PART = r"[A-ZÀ-ÞŐŠŽ][\w'’-]+"
_NAME = rf"(?P<name>{_PART}(?: (?:van |de |von |der |Mc|O')?{_PART}){{0,3}})"
_LEADS = (
    r"[Mm]y name is|[Nn]ame is|[Nn]ame's|[Nn]ame:|[Cc]alled|[Ii] am|I'm|[Dd]ear|[Hh]i|[Hh]ello|"
    r"[Ss]igned,?|[Ss]incerely,|[Rr]egards,|[Bb]est,"
)
_TITLES = r"Mr|Mrs|Ms|Dr|Prof|Miss|Sir|Lady|Herr|Frau|Mme|Sr|Sra"
_INTRODUCED = (
    re.compile(rf"\b(?:{_LEADS})\s+{_NAME}"),
    re.compile(rf"\b(?:{_TITLES})\.?\s+{_NAME}"),
)
NEAR = 40  # characters before a bare number in which a word such as "call" makes it a phone's


@dataclass(frozen=True, slots=True)
class Found:
    """text[start:end] is personal data of this kind (presidio's names)."""

    kind: str
    start: int
    end: int


def found(text: str) -> list[Found]:
    """All of it, in order; none overlaps another."""
    kept: list[Found] = []
    for kind, find in _FINDERS.items():
        for start, end in find(text):
            if all(end <= one.start or one.end <= start for one in kept):
                kept.append(Found(kind, start, end))
    return sorted(kept, key=lambda one: one.start)


def masked(text: str) -> list[Change]:
    """A repair: each piece of personal data becomes its kind in brackets."""
    return [
        Change("personal", one.start, one.end, text[one.start : one.end], f"[{_SAID[one.kind]}]")
        for one in found(text)
    ]


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others."""
    doubled = (int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits fit: the remainder mod 97 is 1."""
    bare = re.sub(r"\s", "", text).upper()
    turned = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if luhn(digits) and len(set(digits)) > 1:
            yield match.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        if iban(match[0]):
            yield match.span()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IP4, _IP6):
        for match in pattern.finditer(text):
            try:
                ipaddress.ip_address(match[0])
            except ValueError:
                continue
            yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"x\d+$|\D", "", match[0])
        before = text[max(0, match.start() - NEAR) : match.start()]
        shaped = match[0][0] in "+(0" or len(re.findall(r"[ .-]", match[0])) >= 2
        meant = shaped or _CALLED.search(before)
        most = 15 if match[0][0] == "+" else 12
        if 7 <= len(digits) <= most and meant and not _NO_PHONE.fullmatch(match[0]):
            yield match.span()


def _people(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _INTRODUCED:
        for match in pattern.finditer(text):
            yield match.span("name")


def _all(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (match.span() for match in pattern.finditer(text))


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "EMAIL_ADDRESS": _all(_EMAIL),
    "DOMAIN_NAME": _all(_URL),
    "IBAN_CODE": _ibans,
    "CREDIT_CARD": _cards,
    "IP_ADDRESS": _addresses,
    "US_SSN": _all(_SSN),
    "PHONE_NUMBER": _phones,
    "PERSON": _people,
}
_SAID = {
    "EMAIL_ADDRESS": "e-mail", "DOMAIN_NAME": "link", "IBAN_CODE": "account", "PERSON": "name",
    "CREDIT_CARD": "card", "IP_ADDRESS": "IP address", "US_SSN": "SSN", "PHONE_NUMBER": "phone",
}  # fmt: skip
