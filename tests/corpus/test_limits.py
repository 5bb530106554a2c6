"""The caps are settings, and every setting that a message advises exists."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from corpus.limits import DEFAULT, Limits
from pilotfish.errors import SettingsError
from pilotfish.settings import OTHERS, PREFIX, explain, load
from pilotfish.settings_groups import LimitSettings
from tests.conftest import ROOT
from tests.test_layout import BELOW

NAMED = re.compile(PREFIX + r"[A-Z_]*[A-Z]")


def test_the_caps_are_what_the_settings_say() -> None:
    assert Limits.of(LimitSettings()) == DEFAULT
    changed = {name: value + 1 for name, value in asdict(DEFAULT).items()}
    assert asdict(Limits.of(LimitSettings(**changed))) == changed


def test_every_setting_that_is_named_anywhere_exists() -> None:
    paths = [path for folder in BELOW for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in paths for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert {"PILOTFISH_LIMITS__WALL_S", "PILOTFISH_LIMITS__CELLS"} <= named
    known = {f"{PREFIX}{key}".upper().replace(".", "__") for key, _, _ in explain()}
    assert named - OTHERS - known == set()


@pytest.mark.parametrize("key", ["wall_s", "cpu_s", "memory_mb"])
@pytest.mark.parametrize("value", ["inf", "nan", "1e30", "0"])
def test_no_cap_is_endless_or_nothing(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^setting limits.{key} = "):
        load({f"limits.{key}": value})
