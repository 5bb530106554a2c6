"""docker-compose.yml: its services are real commands, and wait for what they stand on."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from typer.main import get_command

from pilotfish.cli.main import app
from pilotfish.settings import load
from tests.conftest import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("pilotfish")]


def test_all_processes_of_the_service_are_there() -> None:
    assert {"redis", "postgres", *OURS} == set(SERVICES)
    assert {SERVICES[name]["command"][0] for name in OURS} == {
        "migrate", "serve", "dispatcher", "worker",
    }  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_services_command_is_one_that_the_command_line_has(name: str) -> None:
    verb, *arguments = SERVICES[name]["command"]
    commands: Any = get_command(app)
    command = commands.commands[verb]
    command.make_context(verb, list(arguments), resilient_parsing=False).close()


@pytest.mark.parametrize("name", list(SERVICES))
def test_what_a_service_waits_for_can_be_waited_for(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        condition = wanted["condition"]
        if condition == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert condition == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_the_environment_holds_settings_that_exist(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for key, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(key, value.replace("${POSTGRES_PASSWORD:-pilotfish}", "pilotfish"))
    settings = load(folder=tmp_path)
    assert settings.database and settings.service.redis
    assert SERVICES[name]["stop_grace_period"] == "60s"
