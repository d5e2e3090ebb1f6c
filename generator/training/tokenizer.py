"""A small tokenizer of CLIP's kind, learned from the captions: byte-level BPE, lower case, 24 tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"


def learn(texts: Iterable[str], entries: int, length: int) -> CLIPTokenizer:
    """A CLIPTokenizer of at most `entries` tokens, byte alphabet included, that cuts texts to `length` tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    alphabet = letters + [letter + "</w>" for letter in letters]
    blank = CLIPTokenizer(vocab={START: 0, END: 1}, merges=[])
    learner = blank.backend_tokenizer
    learner.model = BPE(end_of_word_suffix="</w>", unk_token=END)
    # The trainer adds letters that end words by itself as it meets them; merges come after both alphabets.
    trainer = BpeTrainer(
        vocab_size=entries - 2 - len(letters), initial_alphabet=letters, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    merges = _merges(learner.to_str())
    vocabulary = alphabet + [left + right for left, right in merges]
    # The trainer hands out pairs that are equally frequent in any order; ids must not depend on that, since workers
    # that train together, and a run that goes on later, each learn it anew.
    tokens = sorted(list(dict.fromkeys(vocabulary))[: entries - 2])
    known = set(tokens)
    merges = [pair for pair in merges if pair[0] + pair[1] in known]
    vocab = {token: at for at, token in enumerate([*tokens, START, END])}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=length)


def _merges(text: str) -> list[tuple[str, str]]:
    """Merge pairs of a serialised tokenizer, in order."""
    return [(left, right) for left, right in json.loads(text)["model"]["merges"]]
