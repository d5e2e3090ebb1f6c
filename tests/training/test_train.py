"""The whole course at a tiny size: it learns, stops, goes on, and what it writes loads in stock diffusers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from generator.training import train
from generator.training.configurations import TINY
from generator.training.evaluate import main as evaluate
from generator.training.lessons import NAMES
from generator.training.networks import load, sample
from generator.training.train import rate

pytestmark = pytest.mark.filterwarnings("ignore")  # diffusers and torch warn about their own ways


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny course."""
    out = tmp_path_factory.mktemp("course")
    train.main(["--budget", "0.01", "--configuration", "tiny", "--device", "cpu", "--out", str(out)])
    return out


def test_learning_rate_follows_the_clock() -> None:
    """Warm-up, peak, and nothing left at the end."""
    assert rate(0.0) < 0.05
    assert rate(0.05) > 0.99
    assert rate(1.0) < 1e-6
    assert rate(1.5) < 1e-6


def test_course_goes_through_all_lessons(course: Path) -> None:
    """Every lesson left lines in the log, with losses that are numbers."""
    lines = [json.loads(line) for line in (course / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["lesson"] for line in lines} == {"words", "pictures", "stills", "clips"}
    assert all(np.isfinite(line["loss"]) for line in lines if "loss" in line)


def test_steps_make_the_loss_smaller(tmp_path: Path) -> None:
    """Twenty steps of the autoencoder help."""
    lesson = train.Course(TINY, torch.device("cpu"), 1, tmp_path, 7)._open("pictures")
    losses = [lesson.step(0.04) for _ in range(20)]
    assert sum(losses[-5:]) < sum(losses[:5])


@pytest.mark.parametrize("name", ["words", "stills"])
def test_course_resumes(name: str, tmp_path: Path) -> None:
    """An interrupted lesson goes on with its optimiser, average and steps."""
    first = train.Course(TINY, torch.device("cpu"), 0.05, tmp_path, 7)
    first.progress.lesson = NAMES.index(name)
    lesson = first._open(name)
    lesson.step(0.5)
    first.progress.steps, first.progress.seconds = 1, 0.1
    first.save(lesson)
    second = train.Course(TINY, torch.device("cpu"), 0.05, tmp_path, 7)
    second.resume()
    again = second._open(name)
    assert second.progress.steps == 1
    assert again.average.count == 1
    assert len(again.optimiser.state_dict()["state"]) == len(lesson.optimiser.state_dict()["state"])
    for one, two in zip(first.nets.unet.parameters(), second.nets.unet.parameters(), strict=True):
        assert torch.equal(one, two)
    again.step(0.5)


def test_export_equals_stock_diffusers(course: Path) -> None:
    """Stock `TextToVideoSDPipeline` gives the clip our own loop gives."""
    from diffusers import TextToVideoSDPipeline

    nets = load(course / "model")
    ours = (sample(nets, ["a cat"], frames=4, steps=3, guidance=3.0, seeds=[5])[0] + 1) / 2
    stock = TextToVideoSDPipeline.from_pretrained(course / "model")
    noise = torch.randn(1, 4, 4, TINY.latent, TINY.latent, generator=torch.Generator().manual_seed(5))
    frames = stock(
        "a cat", num_frames=4, height=4 * 8, width=4 * 8, num_inference_steps=3, guidance_scale=3.0, latents=noise
    ).frames[0]
    assert np.abs(ours.permute(0, 2, 3, 1).numpy() - frames).max() < 1e-3


def test_evaluation_prints_json(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures for each question, beside guessing and the oracle on true clips."""
    evaluate(["--model", str(course / "model"), "--prompts", "2", "--steps", "2", "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["steps_2"]) >= {"background", "motion", "thing", "all", "seconds_per_clip"}
    assert figures["guessing"]["thing"] == pytest.approx(1 / 3, abs=1e-4)
