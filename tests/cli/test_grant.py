"""`zoetrope grant`, as an operator runs it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from db import quotas
from db.database import Database
from db.records import Asker

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]


async def granted(folder: Path, now: float) -> int:
    database = await Database.open(f"sqlite:///{folder / 'zoetrope.db'}")
    try:
        async with database.reading() as tx:
            return (await quotas.usage(tx, Asker("telegram", "4711"), 0.0, now)).granted
    finally:
        await database.close()


async def test_granted_credits_count_until_their_time_is_over(zoetrope: Zoetrope, tmp_path: Path) -> None:
    await (await Database.open(f"sqlite:///{tmp_path / 'zoetrope.db'}", migrate=True)).close()
    for more in (("2.5", "--new"), ("1",)):  # a grant makes somebody known
        done = zoetrope("grant", "telegram", "4711", *more, "--hours", "2", "--data", str(tmp_path))
        assert (done.returncode, done.stderr) == (0, "")
        assert "to 4711 on telegram, good until 2" in done.stdout
    now = time.time()
    assert await granted(tmp_path, now) == 3500
    assert await granted(tmp_path, now + 7201) == 0


async def test_an_id_that_nobody_has_is_told_and_gets_nothing(zoetrope: Zoetrope, tmp_path: Path) -> None:
    await (await Database.open(f"sqlite:///{tmp_path / 'zoetrope.db'}", migrate=True)).close()
    done = zoetrope("grant", "telegram", "4711", "5", "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Nobody with the id 4711 on telegram is known here: check the id, or add --new for somebody who has not come "
        "yet.\n"
    )
    assert await granted(tmp_path, time.time()) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("telegram", "@ada", "1"), "no id of a person"),
        (("irc", "4711", "1"), "telegram"),
        (("telegram", "4711", "0"), "0"),
        (("telegram", "4711", "nan"), "plain numbers"),
        (("telegram", "4711", "1", "--hours", "-1"), "hours"),
    ],
)
def test_what_can_not_be_granted_is_one_sentence(
    zoetrope: Zoetrope, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = zoetrope("grant", *arguments, "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_database_it_says_how_to_get_one(zoetrope: Zoetrope, tmp_path: Path) -> None:
    done = zoetrope("grant", "web", "ada", "1", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "start `zoetrope` first" in done.stderr
