"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from db.config import Config, load

ROOT = Path(__file__).parents[1]
HOUSES = ("bot", "db", "generator")
LONGEST_FUNCTION = 60
HEAVY = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "numpy", "discord", "telegram")


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def where(path: Path, node: ast.expr | ast.stmt | ast.excepthandler) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


# --- imports ---


@pytest.mark.parametrize("module", ["bot.__main__", "bot.app", "bot.cli.video", "bot.doctor", "generator.__main__"])
def test_heavy_libraries_are_loaded_by_those_alone_who_need_them(module: str) -> None:
    code = f"import {module}, sys, json; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_command_line_answers_before_it_loads_anything() -> None:
    code = (
        "import bot.__main__, sys; print(any(name in sys.modules for name in ('sqlalchemy', 'pydantic', 'starlette')))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_arguments_and_environment_are_read_by_the_commands_alone() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in modules(*HOUSES)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.argv", "os.environ", "os.getenv"}
    }
    assert {
        path for path in readers if not re.fullmatch(r"\w+(/engine|/training)?/(__main__|train)\.py", path)
    } == set()


# --- code ---


def test_no_module_is_called_utils() -> None:
    assert [path for path in modules(*HOUSES, "tests") if re.search(r"util|common|helper", path.stem)] == []


def test_no_function_is_too_long_to_read_at_once() -> None:
    lengths = {
        where(path, node): (node.end_lineno or 0) - node.lineno + 1
        for path in modules(*HOUSES)
        if "versions" not in path.parts  # a migration is one list of tables
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_an_error_is_never_passed_over_without_a_word() -> None:
    silent = [
        where(path, node)
        for path in modules(*HOUSES, "tests")
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler) and [type(line) for line in node.body] == [ast.Pass]
    ]
    assert silent == []


def test_no_task_is_started_and_forgotten() -> None:
    """The event loop holds tasks weakly: one that nobody else holds may vanish half-way."""
    forgotten = [
        where(path, node)
        for path in modules(*HOUSES)
        for node in nodes(path)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and re.fullmatch(r"(asyncio|loop)\.(create_task|ensure_future)", called(node.value))
    ]
    assert forgotten == []


def test_nothing_prints_but_the_training_scripts() -> None:
    printing = [
        where(path, node)
        for path in modules(*HOUSES)
        for node in nodes(path)
        if isinstance(node, ast.Call) and called(node) == "print" and "training" not in path.parts
    ]
    assert printing == []


# --- words ---

FOR_OPERATORS = ("cli", "__main__", "app", "doctor", "errors", "data_folder", "generator_child", "port")  # of bot
LOGGED = {
    "EncodeFailed",
    "FolderUnwritable",
    "Gone",
    "NoRoom",
    "PasswordMissing",
    "PolicyError",
    "PortTaken",
    "_GiveUp",
    "_Hidden",
}  # errors no person reads


def written_in(node: ast.AST) -> str:
    """A string as it will be read, with an x for whatever is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(written_in(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "x"


def sentences(node: ast.AST) -> Iterator[ast.expr]:
    """The sentences below a node that are neither a docstring nor for the log."""
    for inner in ast.iter_child_nodes(node):
        name = called(inner) if isinstance(inner, ast.Call) else ""
        if (
            name.startswith("log.")
            or name in LOGGED
            or (isinstance(inner, ast.Expr) and written_in(inner.value) != "x")
        ):
            continue
        if isinstance(inner, ast.expr) and re.fullmatch(r"[A-Z].* .*[.!?]", written_in(inner)):
            yield inner
        yield from sentences(inner)


def test_every_sentence_that_a_person_can_read_is_among_the_cards() -> None:
    rooms = [path for path in modules("bot") if path.relative_to(ROOT / "bot").parts[0].split(".")[0] != "cards"]
    read = [path for path in rooms if path.relative_to(ROOT / "bot").parts[0].split(".")[0] not in FOR_OPERATORS]
    elsewhere = [
        where(path, sentence)
        for path in read
        if path.stem != "recording"  # which nobody reads
        and path
        != ROOT / "bot" / "menu.py"  # the commands as data: its descriptions are keys, said where they are shown
        for sentence in sentences(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert elsewhere == []


# --- tests ---


def test_every_mock_has_a_spec() -> None:
    """A mock without one agrees with everything, whatever the code becomes."""
    loose = [
        where(path, node)
        for path in modules("tests")
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"(mock\.|unittest\.mock\.)?(Async|Magic)?Mock", called(node))
        and not {keyword.arg for keyword in node.keywords} & {"spec", "spec_set"}
    ]
    assert loose == []


def test_no_test_sleeps() -> None:
    """Tests wait for events with a bound; asyncio.sleep(0), which only lets others go first, is no sleep."""
    sleeping = [
        where(path, node)
        for path in modules("tests")
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and called(node) in {"time.sleep", "asyncio.sleep", "sleep"}
        and [ast.unparse(argument) for argument in node.args] != ["0"]
        and "children" not in path.parts  # programs that tests start and that are to be slow
    ]
    assert sleeping == []


def test_test_folders_are_no_packages() -> None:
    """tests/db/__init__.py would shadow db."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


# --- configuration ---


def sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    for key, field in model.model_fields.items():
        inner = (get_args(field.annotation) or (field.annotation,))[-1]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            place = f"{name}.{key}" if name else key
            yield place, inner
            yield from sections(inner, place)


def example_section(name: str) -> str:
    """The lines of a section of the example, which may be commented out as a whole; a table of tables has one."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    found = re.search(
        rf"^(# )?\[{re.escape(name)}(\.\w+)?\]\n(?P<body>.*?)(?=^(# )?\[|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, f"config.example.toml has no section [{name}]"
    return found["body"]


@pytest.mark.parametrize(("name", "section"), list(sections(Config)))
def test_the_example_explains_every_key(name: str, section: type[BaseModel]) -> None:
    body = example_section(name)
    for key, field in section.model_fields.items():
        if field.description is None:  # a section of its own
            continue
        if key == "models":
            example_section(f"{name}.{key}")
            continue
        assert re.search(rf"^# {re.escape(field.description)}\n(# \(.*\)\n)?(# )?{key} = ", body, re.MULTILINE), key


def test_the_example_is_usable_and_says_the_defaults() -> None:
    example = load(ROOT / "config.example.toml", {})
    assert example.model_dump(exclude={"data": {"folder"}}) == Config().model_dump(exclude={"data": {"folder"}})


# --- what people are told to type ---


def targets_of_makefile() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_makefile_has_its_commands() -> None:
    assert {"setup", "run", "test", "check", "bench", "clean"} <= targets_of_makefile()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_in_the_pages_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    told = set(re.findall(r"(?:^|`|\$ )make ([a-z]+)", text, re.MULTILINE))
    assert told, f"{page} names no make command"
    assert told <= targets_of_makefile()


def test_every_pin_is_a_name_and_a_version() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r'[\w.-]+==[\w.]+(; python_version >= "3\.\d+")?', pin)] == []
    assert "torch==2.13.0" in pins


def test_everything_that_is_needed_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = {normal(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {normal(re.split(r"[\[<>=;]", need)[0]) for need in needed} - pinned == set()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
