"""Captions say what is shown in the words people use; the tokenizer takes whatever they type."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from generator.training.captions import Writer, catalogue, plural, words
from generator.training.configurations import CPU
from generator.training.stage import MOTIONS, SCENES, Actor, Take
from generator.training.tokenizer import learn


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    """A tokenizer learned from a few captions."""
    writer = Writer(CPU.world, random.Random(0))
    return learn((writer.caption(writer.take()) for _ in range(2000)), 1200, 24)


def test_every_motion_and_scene_has_words() -> None:
    """No motion or scene without a phrase."""
    assert set(words()["motion"]) == set(MOTIONS)
    assert set(SCENES) <= set(words()["place"])


def test_clean_captions_name_thing_motion_and_place() -> None:
    """Without noise nothing is left out."""
    writer = Writer(CPU.world, random.Random(2))
    take = Take((Actor("cat", "bouncing"),), "blue")
    for _ in range(200):
        caption = writer.caption(take, noise=0.0)
        assert any(word in caption for word in catalogue()["cat"].words)
        assert any(word in caption for word in writer.phrases["bouncing"])
        assert any(word in caption for word in words()["colour"]["blue"])


def test_two_things_are_worded_together() -> None:
    """The astronaut rides the horse."""
    writer = Writer(CPU.world, random.Random(3))
    take = Take((Actor("astronaut", "right"), Actor("horse", "right")), "space", "riding")
    assert any("riding" in writer.caption(take, noise=0.0) for _ in range(20))


@pytest.mark.parametrize(("one", "many"), [("cat", "cats"), ("fish", "fish"), ("puppy", "puppies"), ("bus", "bus")])
def test_plural(one: str, many: str) -> None:
    """Plurals, the odd ones too."""
    assert plural(one) == many


def test_tokenizer_is_small_and_reloads(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    """Same ids after saving; case does not matter; padded with the end token."""
    assert len(tokenizer) <= 1200
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    for text in ("a heart bouncing on blue", "A HEART", "", "kittty zzyzx", "日本 é \U0001f600"):
        assert again(text).input_ids == tokenizer(text).input_ids
    assert tokenizer("A Heart").input_ids == tokenizer("a heart").input_ids
    assert again.model_max_length == 24
    assert again.pad_token_id == again.eos_token_id


@pytest.mark.parametrize("text", ["x" * 10_000, "\x00\x07", "مرحبا", "a " * 500, "   "])
def test_tokenizer_takes_anything(tokenizer: CLIPTokenizer, text: str) -> None:
    """Every text fits the model's length and its vocabulary."""
    ids = tokenizer(text, padding="max_length", truncation=True, max_length=24).input_ids
    assert len(ids) == 24
    assert max(ids) < len(tokenizer)
