"""How a body becomes a message: what Discord takes over, replaces, refuses, and what a person would see of it."""

from __future__ import annotations

import copy
import mimetypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.surfaces.discord_server.faults import ApiError
from tests.surfaces.discord_server.world import COMPONENTS_V2, SUPPRESS_EMBEDS, Attachment, Json, Message, flat

CONTENT_CHARS, EMBED_CHARS, COMPONENTS, ROWS = 2000, 6000, 40, 5
ALTERABLE = COMPONENTS_V2 | SUPPRESS_EMBEDS
REFERENCE = "attachment://"
UNSAID: dict[int, Json] = {  # what Discord says of a component whose maker didn't
    17: {"accent_color": None, "spoiler": False},
    14: {"spacing": 1, "divider": True},
    13: {"name": None, "size": None, "spoiler": False},
    11: {"description": None, "spoiler": False},
}


def invalid_form(field: str, code: str, message: str) -> ApiError:
    """400 as Discord words it: which field, and what is wrong with it."""
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return ApiError(400, 50035, "Invalid Form Body", errors=errors)


@dataclass
class Draft:
    """The state that a message would have."""

    content: str
    embeds: list[Json]
    components: list[Json]
    attachments: list[Attachment]
    flags: int

    @classmethod
    def of(cls, message: Message) -> Draft:
        return cls(
            message.content,
            copy.deepcopy(message.embeds),
            copy.deepcopy(message.components),
            list(message.attachments),
            message.flags,
        )

    def take(self, body: Json, files: dict[str, tuple[str, bytes]], upload: Upload) -> None:
        """What is named replaces what was there; files are added. Raises ApiError and leaves the draft half-way."""
        if body.get("flags") is not None:  # the second version of components, once chosen, stays
            self.flags = self.flags & ~SUPPRESS_EMBEDS | body["flags"] & ALTERABLE
        if "content" in body:
            self.content = body["content"] or ""
        if "embeds" in body:
            self.embeds = copy.deepcopy(body["embeds"] or [])
        if "components" in body:
            self.components = copy.deepcopy(body["components"] or [])
        self._take_files(body, files, upload)
        self._check_words()
        self._check_components()
        self._resolve_references()
        if not (self.content.strip() or self.embeds or self.components or self.attachments):
            raise ApiError(400, 50006, "Cannot send an empty message")

    def put_on(self, message: Message) -> None:
        message.content, message.embeds, message.components = self.content, self.embeds, self.components
        message.attachments, message.flags = self.attachments, self.flags

    def hidden_files(self) -> list[str]:
        """Attachments that no component shows, where only components show anything."""
        if not self.flags & COMPONENTS_V2:
            return []
        shown = {media["url"] for media in _media(self.embeds, self.components)}
        return [one.filename for one in self.attachments if one.url not in shown]

    def _take_files(self, body: Json, files: dict[str, tuple[str, bytes]], upload: Upload) -> None:
        told = {str(one["id"]): one for one in body.get("attachments") or []}
        uploaded = {name.removeprefix("files[").removesuffix("]"): file for name, file in files.items()}
        if "attachments" in body:
            self.attachments = [one for one in self.attachments if one.id in told]
        kept = {one.id for one in self.attachments}
        if strange := [key for key in told if key not in kept and key not in uploaded]:
            raise invalid_form(f"attachments.{strange[0]}.id", "ATTACHMENT_NOT_FOUND", "Attachment data not found")
        if len(self.attachments) + len(uploaded) > 10:
            raise ApiError(400, 30015, "Maximum number of attachments in a message reached (10)")
        for key, (filename, content) in uploaded.items():
            if len(content) > upload.limit:
                raise ApiError(413, 40005, "Request entity too large")
            facts = told.get(key, {})
            self.attachments.append(upload.keep(facts.get("filename") or filename, content, facts))

    def _check_words(self) -> None:
        if len(self.content) > CONTENT_CHARS:
            raise invalid_form("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.")
        words = sum(len(text) for embed in self.embeds for text in _words(embed))
        if words > EMBED_CHARS:
            raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")

    def _check_components(self) -> None:
        parts = list(flat(self.components))
        for number, part in enumerate(parts, 1):
            part["id"] = part.get("id") or number
            for name, value in UNSAID.get(part["type"], {}).items():
                part.setdefault(name, value)
            for item in part.get("items") or []:
                item |= {"description": item.get("description"), "spoiler": bool(item.get("spoiler"))}
        names = [part["custom_id"] for part in parts if part.get("custom_id")]
        if len(names) != len(set(names)):
            raise invalid_form(
                "components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
            )
        if self.flags & COMPONENTS_V2:
            self._check_second_version(parts)
        elif [part for part in self.components if part["type"] != 1] or len(self.components) > ROWS:
            raise invalid_form("components", "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (1,).")

    def _check_second_version(self, parts: list[Json]) -> None:
        if self.content or self.embeds:
            raise invalid_form(
                "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The field is not used"
            )
        if len(parts) > COMPONENTS:
            raise invalid_form("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "40 components at most")
        if sum(len(part.get("content") or "") for part in parts) > 4000:
            raise invalid_form("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "4000 characters at most")

    def _resolve_references(self) -> None:
        files = {one.filename: one for one in self.attachments}
        for media in _media(self.embeds, self.components):
            if media.get("url", "").startswith(REFERENCE):
                name = media["url"].removeprefix(REFERENCE)
                if name not in files:
                    raise invalid_form("components", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", name)
                file = files[name]
                media |= {"id": file.id, "url": file.url, "proxy_url": file.url, "content_type": file.content_type}


@dataclass(frozen=True)
class Upload:
    """Where files go: the largest that is taken, in bytes, and what keeps one."""

    limit: int
    keep: Callable[[str, bytes, Json], Attachment]


def type_of(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _words(embed: Json) -> Iterator[str]:
    yield from (embed.get("title") or "", embed.get("description") or "")
    yield from ((embed.get(part) or {}).get(name) or "" for part, name in (("footer", "text"), ("author", "name")))
    yield from (one[name] for one in embed.get("fields") or [] for name in ("name", "value"))


def _media(embeds: list[Json], components: list[Json]) -> Iterator[dict[str, Any]]:
    """Every place that names a picture, a video or a file by its URL."""
    yield from (embed[name] for embed in embeds for name in ("image", "thumbnail", "video") if embed.get(name))
    for part in flat(components):
        yield from (part[name] for name in ("media", "file") if part.get(name))
        yield from (item["media"] for item in part.get("items") or [])
