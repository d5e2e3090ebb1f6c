"""A week of a small community ends as its moderators would want it to, whatever some of its members try.

`python -m tests.community` plays the week of 500 members, whose summary is in docs/a-week.md.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bot.commands import Result
from db.records import NOBODY, Action, Curb
from tests.community.members import Kind
from tests.community.town import Aftermath, played

MEMBERS = 60


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    return asyncio.run(played(tmp_path_factory.mktemp("town"), MEMBERS, seed=2026))


def test_every_case_has_its_number_and_nothing_is_left_waiting(after: Aftermath) -> None:
    assert [case.number for case in after.cases] == list(range(1, len(after.cases) + 1))
    assert after.waiting == []


def test_clips_that_hurt_somebody_are_gone_once_reported_and_no_others(after: Aftermath) -> None:
    hurting = {clip.id for clip in after.shown if after.harmful[clip.spec.prompt]}
    assert hurting & after.reported == set(), "whatever was reported was looked at"
    removed = {case.target.id for case in after.cases if case.action is Action.REMOVE and case.target}
    assert removed <= {member.id for member in after.stands if member.kind not in {Kind.ORDINARY, Kind.FAN}}


def test_the_raid_ends_with_bans_and_made_nothing(after: Aftermath) -> None:
    assert all(stands.curb is Curb.BAN for stands in after.of(Kind.RAIDER))
    assert after.results[Kind.RAIDER, Result.QUEUED] == 0


def test_whoever_did_nothing_wrong_stands_well(after: Aftermath) -> None:
    blameless = {Kind.ORDINARY, Kind.FAN, Kind.SPAMMER, Kind.MODERATOR}
    assert [member.id for member, stands in after.stands.items() if member.kind in blameless and stands.points] == []


def test_false_reporters_lose_their_standing_and_what_they_hid_is_shown_again(after: Aftermath) -> None:
    assert all(stands.points for stands in after.of(Kind.FALSE_REPORTER))
    assert any(case.action is Action.STRIKE and case.actor == NOBODY for case in after.cases)

    assert Counter(case.action for case in after.cases)[Action.HIDE] > 0
    about = [dict(case.about) for case in after.cases if case.action is Action.FALSE_ALARM]
    cleared = {links["clip"] for links in about if "clip" in links}
    assert cleared
    assert cleared <= {clip.id for clip in after.shown}


def test_spam_runs_into_its_quota(after: Aftermath) -> None:
    assert after.results[Kind.SPAMMER, Result.DENIED] > after.results[Kind.SPAMMER, Result.QUEUED]
