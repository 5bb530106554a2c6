"""Whatever a parser does, the caller gets typed results and nothing outlives them."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from corpus.limits import Limits
from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox


def results(parser: str, data: bytes = b"x", **caps: float) -> list[Parsed | ParseFailure]:
    limits = Limits(**caps)  # type: ignore[arg-type]
    with Sandbox(limits, parser=f"hostile_parsers.{parser}") as sandbox:
        return list(sandbox.parse(None, data, "doc.txt"))


def reason(parser: str, data: bytes = b"x", **caps: float) -> str:
    found = results(parser, data, **caps)[-1]
    assert isinstance(found, ParseFailure) and found.source == "doc.txt"
    assert "\n" not in found.reason
    return found.reason


def test_a_segfault_becomes_a_failure() -> None:
    assert "crashed (SIGSEGV)" in reason("segfault")


def test_a_parser_that_loops_is_stopped_by_its_cpu_limit() -> None:
    assert "more than 1 s of CPU" in reason("loops", cpu_s=1)


def test_a_parser_that_sleeps_is_stopped_by_the_wall_clock() -> None:
    begun = time.monotonic()
    assert "took more than 0.3 s" in reason("sleeps", wall_s=0.3)
    assert time.monotonic() - begun < 5


def test_a_parser_that_eats_memory_is_refused_more() -> None:
    assert "more than 300 MB of memory" in reason("eats_memory", memory_mb=300)


def test_a_killed_parser_becomes_a_failure() -> None:
    assert "killed by the system" in reason("killed")


def test_a_parser_that_leaves_early_becomes_a_failure() -> None:
    assert "ended without a result" in reason("leaves")


def test_an_exception_becomes_one_line_without_a_traceback() -> None:
    assert "KeyError" in reason("raises")


def test_a_parser_without_results_becomes_a_failure() -> None:
    assert "nothing to read" in reason("nothing")


def test_a_missing_parser_becomes_a_failure() -> None:
    with Sandbox(parser="no_such_module.parse") as sandbox:
        (found,) = sandbox.parse(None, b"x", "doc.txt")
    assert isinstance(found, ParseFailure) and "not installed (no_such_module)" in found.reason


@pytest.mark.parametrize("parser", ["connects", "resolves"])
def test_a_parser_reaches_no_network(parser: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        found = results(parser, str(server.getsockname()[1]).encode())[-1]
        with pytest.raises(TimeoutError):
            server.accept()
    assert isinstance(found, ParseFailure) and "may not use the network" in found.reason


def test_libc_beneath_python_reaches_no_network_where_namespaces_are_granted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Sandbox(parser="hostile_parsers.connects_beneath") as sandbox,
    ):
        (found,) = sandbox.parse(None, str(server.getsockname()[1]).encode(), "doc.txt")
        assert isinstance(found, Parsed) and sandbox._zygote is not None
        granted = os.readlink(f"/proc/{sandbox._zygote.pid}/ns/net") != _own_network()
        assert found.text == ("-1" if granted else "0")


@pytest.mark.parametrize("parser", ["spawns", "forks"])
def test_a_parser_starts_no_process(parser: str) -> None:
    assert "refused: a parser may not use" in reason(parser)


def test_a_parser_writes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "written"
    assert "may not write files" in reason("writes", str(target).encode())
    assert not target.exists()


def test_a_parser_sees_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    (found,) = results("tells_environment")
    assert isinstance(found, Parsed) and "OPENAI_API_KEY" not in found.text


def test_what_a_parser_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    (found,) = results("chatters")
    assert isinstance(found, Parsed)
    assert capfd.readouterr() == ("", "")


def test_offsets_outside_the_text_are_not_believed() -> None:
    assert "broken result" in reason("lies")


def test_half_a_surrogate_pair_is_replaced_one_for_one() -> None:
    (found,) = results("surrogates")
    assert isinstance(found, Parsed) and found.text == "a?b"


def test_a_slow_reader_is_not_charged_to_the_document() -> None:
    with Sandbox(Limits(wall_s=0.5), parser="hostile_parsers.many") as sandbox:
        found = sandbox.parse(None, b"3000", "doc.txt")
        next(found)
        time.sleep(0.8)
        assert sum(1 for _ in found) == 2999


def test_two_documents_may_be_read_in_turns() -> None:
    with Sandbox(parser="hostile_parsers.many") as sandbox:
        first, second = (sandbox.parse(None, b"2000", name) for name in ("a", "b"))
        pairs = list(zip(first, second, strict=True))
    assert len(pairs) == 2000 and all(one == two for one, two in pairs)


def test_threads_share_a_sandbox() -> None:
    counts: list[int] = []
    with Sandbox(parser="hostile_parsers.many") as sandbox:

        def work() -> None:
            for _ in range(5):
                counts.append(sum(1 for _ in sandbox.parse(None, b"100", "doc.txt")))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [100] * 20


def test_an_abandoned_document_leaves_no_process_behind() -> None:
    with Sandbox(parser="hostile_parsers.many") as sandbox:
        found = sandbox.parse(None, b"1000000", "doc.txt")
        next(found)
        zygote = sandbox._zygote
        assert zygote is not None and _children(zygote.pid)
        found.close()  # type: ignore[attr-defined]
        assert _waited(lambda: not _children(zygote.pid))


def test_a_killed_zygote_is_replaced() -> None:
    with Sandbox() as sandbox:
        assert isinstance(next(sandbox.parse(None, b"one", "a.txt")), Parsed)
        assert sandbox._zygote is not None
        sandbox._zygote.kill()
        sandbox._zygote.wait()
        assert isinstance(next(sandbox.parse(None, b"two", "b.txt")), Parsed)


def test_a_sandbox_leaks_no_open_files() -> None:
    with Sandbox() as sandbox:
        list(sandbox.parse(None, b"one", "a.txt"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            list(sandbox.parse(None, b"one", "a.txt"))
            list(sandbox.parse(None, b"\0" * 100, "a.bin"))
        assert len(os.listdir("/proc/self/fd")) == before


def test_many_small_files_and_lines_are_quick(sandbox: Sandbox) -> None:
    list(sandbox.parse(None, b"# warm", "a.md"))
    begun = time.monotonic()
    for _ in range(200):
        assert isinstance(next(sandbox.parse(None, b"# A\n\nwords\n" * 20, "a.md")), Parsed)
    assert time.monotonic() - begun < 6  # 1.2 s on an idle machine
    lines = b"".join(b'{"id": "%d", "text": "%b"}\n' % (i, b"word " * 100) for i in range(5000))
    begun = time.monotonic()
    assert sum(1 for _ in sandbox.parse(None, lines, "a.jsonl")) == 5000
    assert time.monotonic() - begun < 2  # 0.35 s on an idle machine


def _own_network() -> str:
    return os.readlink("/proc/self/ns/net")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _waited(condition: object) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False
