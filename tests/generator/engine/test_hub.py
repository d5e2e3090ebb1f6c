"""Models from the hub, over a real socket: a loopback server that answers as the hub does."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generator.catalogue import cached_folder
from generator.engine.hub import fetch, wanted_files
from generator.errors import ModelUnusable, RenderFailed
from generator.model_folder import check_kind, check_whole, find_weights

SHA = "0123456789abcdef0123456789abcdef01234567"
HUB_ID = "someone/tiny-video"


def answering(folder: Path) -> type[BaseHTTPRequestHandler]:
    """A handler that offers the files of a folder as the repository HUB_ID."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
            wanted = path.removeprefix(f"/{HUB_ID}/resolve/main/")
            if path == f"/api/models/{HUB_ID}":
                told = {"id": HUB_ID, "sha": SHA, "siblings": [{"rfilename": file} for file in files]}
                self.answer(json.dumps(told).encode(), {"Content-Type": "application/json"})
            elif wanted in files:
                body = files[wanted].read_bytes()
                self.answer(body, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": SHA})
            else:
                self.answer(b"{}", {"X-Error-Code": "RepoNotFound"}, 404)

        def answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    return Hub


@pytest.fixture
def hub(tiny: Path) -> Iterator[str]:
    """The address of a hub that has the tiny model."""
    with ThreadingHTTPServer(("127.0.0.1", 0), answering(tiny)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    return tmp_path / "hub"


def test_a_model_is_fetched_whole_and_found_in_the_cache_afterwards(hub: str, cache: Path) -> None:
    ticks: list[int] = []
    folder = fetch("t", HUB_ID, allow_pickle=False, half=False, tick=lambda: ticks.append(1), endpoint=hub)
    assert folder.is_relative_to(cache)
    check_kind("t", folder)
    for part in ("unet", "vae", "text_encoder"):
        for file in find_weights("t", folder, part, allow_pickle=False).files:
            check_whole("t", file)
    assert (folder / "zoetrope.json").is_file()
    assert len(ticks) > 8
    assert cached_folder(HUB_ID) == folder


def test_a_long_download_gives_signs_of_life(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.engine.hub.SIGN_OF_LIFE", 0.0)
    ticks: list[int] = []
    folder = fetch("t", HUB_ID, allow_pickle=False, half=False, tick=lambda: ticks.append(1), endpoint=hub)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(ticks) >= 2 * len(files)  # one before every file, and one at least for what came of it


def test_a_model_the_hub_does_not_have_is_one_sentence(hub: str) -> None:
    with pytest.raises(ModelUnusable, match=r"called nobody/nothing; correct generator\.models\.t\.path"):
        fetch("t", "nobody/nothing", allow_pickle=False, half=False, endpoint=hub)


def test_an_unreachable_hub_is_one_sentence_and_worth_another_try() -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RenderFailed, match="can't be fetched from the hub") as caught:
            fetch("ms", "someone/model", allow_pickle=False, half=True, endpoint=endpoint)
    assert caught.value.again


def test_only_what_the_parts_need_is_downloaded() -> None:
    there = [
        "README.md",
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "text_encoder/pytorch_model.bin",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.bin",
    ]
    half = wanted_files(there, allow_pickle=False, half=True)
    assert half[-1] == "model_index.json"
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in half
    assert "unet/diffusion_pytorch_model.safetensors" not in half
    assert not [file for file in half if file.endswith((".bin", ".md"))]
    full = wanted_files(there, allow_pickle=True, half=False)
    assert {"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin"} < set(full)
    assert "text_encoder/pytorch_model.bin" not in full
