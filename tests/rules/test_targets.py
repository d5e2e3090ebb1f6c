from __future__ import annotations

from pathlib import PurePath

import pytest

from bot.cli.targets import Targets, Unusable, choose, slug

HEART = "a heart bouncing on blue"


@pytest.mark.parametrize(
    ("prompts", "out", "kind", "is_folder", "paths", "chosen"),
    [
        ([HEART], "a.gif", None, False, ["a.gif"], "gif"),
        ([HEART], "clips/a.MP4", None, False, ["clips/a.MP4"], "mp4"),
        ([HEART], "a.webp", "webp", False, ["a.webp"], "webp"),
        ([HEART], "clips", None, False, ["clips/01-a-heart-bouncing-on-blue.gif"], "gif"),
        ([HEART], "v1.0", "mp4", True, ["v1.0/01-a-heart-bouncing-on-blue.mp4"], "mp4"),
        ([HEART, HEART], "out", "webp", False, [f"out/0{n}-a-heart-bouncing-on-blue.webp" for n in (1, 2)], "webp"),
    ],
)
def test_every_prompt_gets_a_file(
    prompts: list[str], out: str, kind: str | None, is_folder: bool, paths: list[str], chosen: str
) -> None:
    targets = choose(prompts, PurePath(out), kind, is_folder=is_folder)
    assert isinstance(targets, Targets)
    assert [str(path) for path in targets.paths] == paths
    assert targets.format == chosen
    assert {path.parent for path in targets.paths} == {targets.folder}


@pytest.mark.parametrize(
    ("prompts", "out", "kind", "words"),
    [
        ([HEART, "a star"], "a.gif", None, "give a folder"),
        ([HEART], "a.avi", None, ".gif, .mp4 or .webp"),
        ([HEART], "a.gif", "mp4", "leave one of them out"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(prompts: list[str], out: str, kind: str | None, words: str) -> None:
    refused = choose(prompts, PurePath(out), kind, is_folder=False)
    assert isinstance(refused, Unusable)
    assert words in refused.sentence


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A Heart, bouncing!", "a-heart-bouncing"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "clip"),
        ("\u202e\n\t///", "clip"),
        ("un cœur bleu", "un-cœur-bleu"),
        ("x" * 300, "x" * 40),
        ("word " * 50, "word-word-word-word-word-word-word-word"),
    ],
)
def test_a_prompt_becomes_a_harmless_file_name(prompt: str, expected: str) -> None:
    assert slug(prompt) == expected
