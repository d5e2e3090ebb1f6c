"""What the documents name is there: files, commands, options, configuration keys, and the sentences they explain."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from bot import menu
from bot.__main__ import cli
from db.config import Config

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CHATS = [ROOT / "docs" / f"{name}.md" for name in ("discord", "telegram", "users", "moderation")]
NOT_OURS = {  # of Telegram's own clients, and of BotFather
    *("start", "newbot", "token", "revoke", "setprivacy", "setjoingroups", "setinline", "setinlinefeedback"),
    *("setcommands", "zoetrope"),  # Discord's group of the moderators' commands
}


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", document.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def code(document: Path) -> Iterator[str]:
    """What stands in code, a line or a span at a time."""
    text = document.read_text("utf-8")
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE))


@cache
def sentences() -> str:
    """Every string of the program, with … for what is filled in; one that stands on several lines is one."""
    found = []
    for path in (file for house in ("bot", "db") for file in (ROOT / house).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
    return "\n".join(found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tables_of_a_configuration_are_those_that_zoetrope_reads(document: Path) -> None:
    for block in blocks(document, "toml"):
        tree = tomllib.loads(re.sub(r"^  ", "", block, flags=re.MULTILINE))
        Config.model_validate({name: table for name, table in tree.items() if name in Config.model_fields})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_shell_are_those_that_zoetrope_has(document: Path) -> None:
    context = click.Context(cli)
    for line in code(document):
        for name, rest in re.findall(r"(?:^\s*|bin/|data )zoetrope ((?:(?:config|mydata) )?[a-z][a-z-]*)\b(.*)", line):
            command: click.Command | None = cli
            for word in name.split():
                assert isinstance(command, click.Group)
                command = command.get_command(context, word)
            assert command is not None, line
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", rest.partition("#")[0])) <= known, line


@pytest.mark.parametrize("document", CHATS, ids=lambda path: path.name)
def test_commands_of_a_chat_are_those_of_the_menu(document: Path) -> None:
    named = {word for line in code(document) for word in re.findall(r"(?:^|\s)/([a-z]+)(?![a-z/…])", line)}
    assert named - {name for name, _ in menu.typed_names()} <= NOT_OURS


def test_members_and_moderators_are_told_every_command_and_setting() -> None:
    members, moderators = ((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("users", "moderation"))
    for command in menu.COMMANDS:
        text = moderators if command.moderators else members
        assert f"{command.name}`" in text
        if command.name in {"video", "settings"}:
            assert [option.name for option in command.options if f"`{option.name}`" not in text] == []


@pytest.mark.parametrize("document", CHATS[:2], ids=lambda path: path.name)
def test_sentences_that_are_explained_are_said(document: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \|", document.read_text("utf-8"), re.MULTILINE)
    explained = [said for row in rows for said in re.findall(r"`([^`/][^`]*)`", row) if " " in said and "=" not in said]
    assert len(explained) > 10
    missing = [said for said in explained if all(each not in sentences() for each in (said, _without_its_thing(said)))]
    assert missing == []


def _without_its_thing(finding: str) -> str:
    """What a finding of the doctor says: `Discord token: there is none` is put together from two strings."""
    return finding.partition(": ")[2] or finding.removesuffix(" …")
