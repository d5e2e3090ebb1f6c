"""The tokenizer is learned anew by every worker and every resumed run: it has to come out the same each time."""

from __future__ import annotations

import random

from generator.training.captions import Writer
from generator.training.configurations import TINY
from generator.training.tokenizer import learn


def _captions() -> list[str]:
    writer = Writer(TINY.world, random.Random(7))
    return [writer.caption(writer.take()) for _ in range(2000)]


def test_learned_again_every_token_has_the_same_id() -> None:
    texts = _captions()
    first = learn(texts, TINY.vocabulary, TINY.tokens).get_vocab()
    assert all(learn(texts, TINY.vocabulary, TINY.tokens).get_vocab() == first for _ in range(3))


def test_ids_follow_the_tokens_themselves() -> None:
    vocabulary = learn(_captions(), TINY.vocabulary, TINY.tokens).get_vocab()
    *tokens, start, end = sorted(vocabulary, key=lambda token: vocabulary[token])
    assert tokens == sorted(tokens)
    assert (start, end) == ("<|startoftext|>", "<|endoftext|>")
