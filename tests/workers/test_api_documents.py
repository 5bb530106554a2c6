"""Collections and documents over HTTP: uploaded, listed, shown, removed."""

from __future__ import annotations

import pytest

from tests.conftest import ASKED, RETURNS
from tests.workers.conftest import Reply, Service

pytestmark = pytest.mark.slow
OWN = b"# Parking\n\nVisitors park their cars behind the old brewery on Mill Lane.\n"
WHERE = "Where do visitors park their cars?"


def uploaded(service: Service, name: str, files: dict[str, bytes]) -> Reply:
    """The index job of an upload, which has ended well."""
    reply = service.upload(f"/v1/collections/{name}/documents", files)
    assert reply.status == 201, reply.body
    job = service.ended(reply.json["id"])
    assert job["state"] == "completed", job["reasons"]
    return reply


def test_an_uploaded_file_can_be_asked_about_listed_shown_and_removed(acme: Service) -> None:
    job = uploaded(acme, "house", {"parking.md": OWN, "returns.md": RETURNS.encode()}).json
    assert job["kind"] == "index" and job["collection"] == "house" and job["total"] == 2
    line = acme.post("/v1/answers", {"question": WHERE, "collection": "house"}).json
    assert line["status"] == "answered" and "brewery" in line["answer"]
    rows = acme.get("/v1/collections/house/documents").json["data"]
    assert [row["id"] for row in rows] == ["parking.md", "returns.md"]
    (named,) = [row for row in acme.get("/v1/collections").json["data"] if row["name"] == "house"]
    assert named["documents"] == 2 and named["passages"] >= 2
    text = acme.get("/v1/collections/house/documents/parking.md").json["text"]
    span = line["citations"][0]
    assert text[span["start"] : span["end"]] == span["quote"]
    gone = acme("DELETE", "/v1/collections/house/documents/parking.md")
    assert gone.json == {"removed": 1}
    assert acme.get("/v1/collections/house/documents/parking.md").status == 404
    found = acme.post("/v1/search", {"query": WHERE, "collection": "house"}).json["data"]
    assert {passage["document"] for passage in found} == {"returns.md"}
    assert b"brewery" not in acme.get(f"/v1/jobs/{line['job']}/results").body


def test_documents_come_in_pages(service: Service) -> None:
    first = service.get("/v1/collections/default/documents?limit=5").json
    path = f"/v1/collections/default/documents?limit=5&after={first['next_cursor']}"
    rest = service.get(path).json
    assert len(first["data"]) == 5 and first["has_more"] and not rest["has_more"]
    assert len({row["id"] for row in first["data"] + rest["data"]}) == 8


def test_the_same_upload_is_the_same_job_and_keeps_no_second_copy(acme: Service) -> None:
    path, files = "/v1/collections/twice/documents", {"parking.md": OWN}
    first = acme.upload(path, files, idempotency_key="u").json
    kept = len(list((acme.workspace / "uploads").iterdir()))
    assert acme.upload(path, files, idempotency_key="u").json["id"] == first["id"]
    assert len(list((acme.workspace / "uploads").iterdir())) == kept
    assert acme.upload(path, {"parking.md": b"else"}, idempotency_key="u").status == 422


@pytest.mark.parametrize("name", ["../../../evil.md", "/etc/evil.md", "..\\..\\evil.md"])
def test_a_file_name_is_never_a_path(acme: Service, name: str) -> None:
    uploaded(acme, "names", {name: b"# Evil\n\nThe evil file tells of " + name.encode() + b".\n"})
    rows = acme.get("/v1/collections/names/documents").json["data"]
    assert {row["id"] for row in rows} == {"evil.md"}
    assert not list(acme.workspace.parent.rglob("evil.md"))


def test_folders_of_file_names_stay_and_an_upload_of_the_same_name_replaces(acme: Service) -> None:
    heron = b"# Herons\n\nHerons stand in the shallow water for hours.\n"
    zebra = b"# Zebras\n\nZebras sleep while standing on the plain.\n"
    uploaded(acme, "tree", {"a/x.md": OWN, "b/x.md": heron, "./c//d/../y.md": heron + b"Still.\n",
                            "C:\\docs\\z.md": zebra})  # fmt: skip
    rows = acme.get("/v1/collections/tree/documents").json["data"]
    assert {row["id"] for row in rows} == {"a/x.md", "b/x.md", "c/y.md", "z.md"}
    assert "brewery" in acme.get("/v1/collections/tree/documents/a/x.md").json["text"]
    uploaded(acme, "tree", {"a/x.md": b"# Parking\n\nVisitors leave their cars at the old mill.\n"})
    text = acme.get("/v1/collections/tree/documents/a%2Fx.md").json["text"]
    assert "mill" in text and "brewery" not in text
    assert len(acme.get("/v1/collections/tree/documents").json["data"]) == 4
    assert acme("DELETE", "/v1/collections/tree/documents/b/x.md").json == {"removed": 1}


@pytest.mark.parametrize("name", ["..", "a~b", "%2e%2e", "a%2fb", "x" * 65, "a b", "%00"])
def test_a_collection_name_is_never_a_path(acme: Service, name: str) -> None:
    reply = acme.upload(f"/v1/collections/{name.replace(' ', '%20')}/documents", {"a.md": OWN})
    assert reply.status in {404, 405, 422}, reply.body


def test_unreadable_files_fail_alone_with_their_reason(acme: Service) -> None:
    files = {"good.md": OWN, "bad.pdf": b"%PDF-1.7 nothing of the kind"}
    job = acme.upload("/v1/collections/mixed/documents", files).json["id"]
    view = acme.ended(job)
    assert view["state"] == "completed_with_errors"
    assert (view["counts"]["answered"], view["counts"]["failed"]) == (1, 1)
    failed = acme.get(f"/v1/jobs/{job}/items?state=failed").json["data"][0]
    assert failed["custom_id"] == "bad.pdf" and failed["error"]["message"]


def test_what_is_no_upload_is_refused(acme: Service) -> None:
    path = "/v1/collections/house/documents"
    assert acme.post(path, {"file": "x"}).status == 415
    assert acme.upload(path, {}).status == 422
    assert acme.upload(path, {"": OWN}).status == 422
    assert acme.upload(path, {"a/x.md": OWN, "b/../a/x.md": OWN}).status == 422
    assert acme.upload(path, {"a/" * 300 + "x.md": OWN}).status == 422


def test_a_removed_collection_is_gone_with_its_jobs_and_its_folder(own: Service) -> None:
    uploaded(own, "short", {"parking.md": OWN})
    line = own.post("/v1/answers", {"question": WHERE, "collection": "short"}).json
    assert own("DELETE", "/v1/collections/short").status == 204
    assert own("DELETE", "/v1/collections/short").status == 404
    assert own.get(f"/v1/jobs/{line['job']}").status == 404
    assert own.post("/v1/search", {"query": WHERE, "collection": "short"}).status == 404
    assert not (own.workspace / "collections" / "short").exists()
    assert own.post("/v1/answers", {"question": ASKED}).json["status"] == "answered"
    uploaded(own, "short", {"other.md": b"# Other\n\nThe other file is about herons only.\n"})
    found = own.post("/v1/search", {"query": WHERE, "collection": "short"}).json["data"]
    assert {passage["document"] for passage in found} == {"other.md"}
