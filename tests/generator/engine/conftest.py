"""A tiny model of ModelScope's shape with random weights, saved as a real folder; real engine processes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, TextToVideoSDPipeline, UNet3DConditionModel
from tokenizers import pre_tokenizers
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from db.config import ModelConfig
from db.records import ClipSpec
from generator.catalogue import Entry, read_entry, write_entries
from generator.engine import unet3d
from generator.engine.loader import quiet_libraries
from generator.protocol import FromEngine, Message, Render, parse_from_engine, to_line

torch.set_num_threads(1)  # tiny networks gain nothing from more, and threads that wait for each other lose a lot
CPU = torch.device("cpu")
PLENTY = 1 << 40
SHEET = {
    "title": "Tiny",
    "family": "unet3d",
    "defaults": {"steps": 4, "guidance": 9.0, "frames": 4, "width": 64, "height": 64, "fps": 8, "sampler": "ddim"},
    "limits": {"steps": [1, 200], "frames": [1, 96], "side": [32, 256], "multiple": 8},
}


def make_tokenizer() -> CLIPTokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: at for at, token in enumerate(tokens)}, merges=[], model_max_length=77)


def wake(module: nn.Module) -> nn.Module:
    """Give what is zero in a fresh network (the last temporal convolutions) some weight, so that it matters."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return module.eval()


def make_pipeline() -> TextToVideoSDPipeline:
    tokenizer = make_tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    unet = UNet3DConditionModel(
        sample_size=8,
        block_out_channels=(16, 16, 16, 16),
        layers_per_block=1,
        attention_head_dim=8,
        norm_num_groups=8,
        cross_attention_dim=32,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.18215,
    )
    schedule = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    parts = {"unet": wake(unet), "vae": wake(vae), "text_encoder": wake(CLIPTextModel(text))}
    return TextToVideoSDPipeline(**parts, tokenizer=tokenizer, scheduler=schedule)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model; shared, so copy it before you break it."""
    quiet_libraries()
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with torch.random.fork_rng():
        torch.manual_seed(7)
        make_pipeline().save_pretrained(folder, safe_serialization=True)
    (folder / "zoetrope.json").write_text(json.dumps(SHEET), encoding="utf-8")
    return folder


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may break."""
    return Path(shutil.copytree(tiny, tmp_path / "own"))


@pytest.fixture(scope="session")
def stock(tiny: Path) -> TextToVideoSDPipeline:
    """diffusers' own pipeline on the tiny model."""
    quiet_libraries()
    pipeline = TextToVideoSDPipeline.from_pretrained(tiny)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def spec() -> Callable[..., ClipSpec]:
    """A small clip; keyword arguments change it."""
    plain = ClipSpec(
        prompt="a heart bouncing on blue",
        negative="",
        seed=5,
        steps=4,
        guidance=9.0,
        frames=4,
        width=64,
        height=64,
        fps=8,
        model="tiny",
    )
    return lambda **changes: replace(plain, **changes)


@pytest.fixture
def entry_of() -> Callable[..., Entry]:
    """The catalogue's entry of a folder, perhaps with another default sampler."""

    def read(folder: Path, sampler: str = "ddim", **config: Any) -> Entry:
        entry = read_entry("tiny", ModelConfig(path=str(folder), **config))
        defaults = replace(entry.facts.defaults, sampler=sampler)
        return replace(entry, facts=replace(entry.facts, defaults=defaults))

    return read


@pytest.fixture
def load(tiny: Path, entry_of: Callable[..., Entry], spec: Callable[..., ClipSpec]) -> Callable[..., unet3d.Unet3D]:
    """The tiny model (or that of another folder), loaded by the engine's own loader."""

    def load(folder: Path = tiny, sampler: str = "ddim", **config: Any) -> unet3d.Unet3D:
        return unet3d.load(entry_of(folder, sampler, **config), CPU, spec=spec(), have=PLENTY)

    return load


class Process:
    """A real engine process and our ends of its pipes."""

    def __init__(self, models: Path, folder: Path, code: str = "") -> None:
        reads, self._write = os.pipe()
        self._read, writes = os.pipe()
        run = ["-c", code] if code else ["-m", "generator.engine"]
        pipes = ["--read-fd", str(reads), "--write-fd", str(writes)]
        self.log = folder / "engine.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *run, *pipes, "--models", str(models), "--device", "cpu", "--threads", "1"],
                pass_fds=(reads, writes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        os.close(reads)
        os.close(writes)
        self._heard = b""

    def say(self, message: Message) -> None:
        self.write(to_line(message))

    def write(self, line: bytes) -> None:
        os.write(self._write, line)

    def hear(self, seconds: float = 60.0) -> FromEngine:
        """The next message, waited for at most so long."""
        until = time.monotonic() + seconds
        while b"\n" not in self._heard:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            more = os.read(self._read, 65536) if ready else b""
            assert more, f"no message; the log says: {self.log.read_text()[-2000:]}"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return parse_from_engine(line)

    def hear_until(self, *kinds: str) -> list[FromEngine]:
        """Messages up to and including the first of these kinds."""
        heard = [self.hear()]
        while heard[-1].kind not in kinds:
            heard.append(self.hear())
        return heard

    def hang_up(self) -> None:
        """Let the engine read end-of-file, as when its runner dies."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def wait(self, seconds: float) -> int:
        return self._process.wait(seconds)

    def end(self) -> None:
        self.hang_up()
        try:
            self._process.wait(5)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._read)


@pytest.fixture
def start(tiny: Path, tmp_path: Path, entry_of: Callable[..., Entry]) -> Iterator[Callable[..., Process]]:
    """Starts engine processes that know the tiny model; `code` runs the module in a way of its own."""
    started: list[Process] = []

    def start(code: str = "") -> Process:
        models = tmp_path / "models.json"
        write_entries([entry_of(tiny)], models)
        started.append(Process(models, tmp_path, code))
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.fixture
def render(tmp_path: Path, spec: Callable[..., ClipSpec]) -> Callable[..., Render]:
    """A Render of a small clip; keyword arguments change the spec."""

    def order(job: str = "job1", **changes: Any) -> Render:
        files = {"master": str(tmp_path / f"{job}.mkv"), "preview": str(tmp_path / f"{job}.webp")}
        return Render(job=job, attempt=1, spec=spec(**changes), **files)

    return order
