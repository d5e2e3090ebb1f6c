"""Prompts as embeddings, remembered: the same prompt is encoded once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

KEEP = 64  # ModelScope's take 158 KB each in half precision


class PromptEncoder:
    """Turns a prompt into the text encoder's last hidden states, (1, tokens, width)."""

    def __init__(self, tokenizer: Any, text_encoder: Any, keep: int = KEEP) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder
        self._keep = keep
        self._known: OrderedDict[str, Tensor] = OrderedDict()

    def encode(self, prompt: str) -> Tensor:
        """Encode, or remember. What is longer than the encoder's window is cut off, as the stock pipeline does."""
        if prompt not in self._known:
            self._known[prompt] = self._encode(prompt)
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        self._known.move_to_end(prompt)
        return self._known[prompt]

    @property
    def known(self) -> int:
        return len(self._known)

    def _encode(self, prompt: str) -> Tensor:
        config = self._text_encoder.config
        window = min(self._tokenizer.model_max_length, config.max_position_embeddings)
        told = self._tokenizer(prompt, padding="max_length", max_length=window, truncation=True, return_tensors="pt")
        device = self._text_encoder.device
        mask = told.attention_mask.to(device) if getattr(config, "use_attention_mask", False) else None
        states: Tensor = self._text_encoder(told.input_ids.to(device), attention_mask=mask)[0]
        return states


@torch.inference_mode()
def context(encoder: PromptEncoder, prompt: str, negative: str, guidance: float) -> Tensor:
    """The rows of one clip: with guidance above 1 the negative prompt's and the prompt's, else the prompt's alone."""
    asked = encoder.encode(prompt)
    return torch.cat([encoder.encode(negative), asked]) if guidance > 1 else asked
