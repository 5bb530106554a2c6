"""Personal data by rule: found where it is, not where something only looks like it."""

from __future__ import annotations

import pytest

from verifiers.personal import found, iban, luhn, masked


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in found(text)]


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("Pay by 4111 1111 1111 1111 please", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("to GB82 WEST 1234 5698 7654 32 now", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("Write to anna.b+x@mail.example.org.", "EMAIL_ADDRESS", "anna.b+x@mail.example.org"),
        ("Call +41 44 668 18 00 today", "PHONE_NUMBER", "+41 44 668 18 00"),
        ("my number is 9498777106", "PHONE_NUMBER", "9498777106"),
        ("from 192.168.10.7,", "IP_ADDRESS", "192.168.10.7"),
        ("host 2001:db8::ff00:42:8329 up", "IP_ADDRESS", "2001:db8::ff00:42:8329"),
        ("see https://example.org/a?b=1.", "DOMAIN_NAME", "https://example.org/a?b=1"),
        ("SSN 219-09-9999", "US_SSN", "219-09-9999"),
        ("My name is Jörg Müller and", "PERSON", "Jörg Müller"),
        ("ask Dr. Elena Rossi", "PERSON", "Elena Rossi"),
    ],
)
def test_each_kind_is_found_at_its_place(text: str, kind: str, what: str) -> None:
    assert kinds(text) == [(kind, what)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # Luhn fails
        "GB82 WEST 1234 5698 7654 33",  # the remainder is not 1
        "The year 2024 had 31,536,000 seconds.",
        "On 2024-05-12 at 10:30:00 it cost 1.250.000.",
        "Version 1.2.3.400 of the manual",
        "The TL-40 pump moves 1234567 litres.",
        "Chapter 12.3.4",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert kinds(text) == []


def test_checksums_agree_with_published_examples() -> None:
    assert luhn("79927398713") and not luhn("79927398710")
    assert iban("DE89 3704 0044 0532 0130 00") and not iban("DE88 3704 0044 0532 0130 00")


def test_masking_says_the_kind_and_leaves_the_rest() -> None:
    text = "Mail anna@example.org or pay 4111111111111111."
    for change in sorted(masked(text), key=lambda one: -one.start):
        text = text[: change.start] + change.after + text[change.end :]
    assert text == "Mail [e-mail] or pay [card]."
