"""The stores of chats: people, places, refusals, updates, ways to cards, files a platform holds, places that moved."""

from __future__ import annotations

from dataclasses import replace

from db import card_routes, moves, people, places, platform_files, refusals, updates
from db.card_routes import CardRoute
from db.database import Database
from db.records import Address, Asker, PersonSettings, PlaceSettings, Refusal, Ruling, Verdict
from db.updates import Update

ADA, BOB, EVE = Asker("discord", "1"), Asker("telegram", "1"), Asker("web", "1")
HERE = Address("discord", "g1", "c1")


async def test_settings_of_a_person_are_kept_and_nobodys_are_the_defaults(database: Database) -> None:
    wanted = PersonSettings(format="mp4", width=64, height=32, notify=False)
    async with database.transaction() as tx:
        assert await people.settings(tx, ADA) == PersonSettings()
        await people.put(tx, ADA, PersonSettings(format="gif"))
        await people.put(tx, ADA, wanted)
        assert await people.settings(tx, ADA) == wanted
        assert await people.settings(tx, BOB) == PersonSettings()


async def test_settings_of_a_place_are_kept_whole(database: Database) -> None:
    wanted = PlaceSettings(
        paused=True, threads=("c1", "c2"), credits=5000, roles=(("r1", 9000), ("r2", 0)), words=("ü",), spoiler=True
    )
    async with database.transaction() as tx:
        assert await places.settings(tx, "discord", "g1") == PlaceSettings()
        await places.put(tx, "discord", "g1", PlaceSettings(model="pocket"), 1.0)
        await places.put(tx, "discord", "g1", wanted, 2.0)
        assert await places.settings(tx, "discord", "g1") == wanted
        assert await places.settings(tx, "telegram", "g1") == PlaceSettings()


async def test_a_code_joins_two_identities_once(database: Database) -> None:
    async with database.transaction() as tx:
        await people.put(tx, BOB, PersonSettings(format="mp4"))
        await people.offer(tx, ADA, "h1", 10.0)
        assert await people.join(tx, ADA, "h1", 1.0) is None  # one's own
        assert await people.join(tx, BOB, "nonsense", 1.0) is None
        assert await people.join(tx, BOB, "h1", 1.0) == ADA
        assert await people.join(tx, EVE, "h1", 1.0) is None  # used up
        assert await people.identities(tx, ADA) == (ADA, BOB)
        assert await people.identities(tx, BOB) == (BOB, ADA)
        assert await people.settings(tx, BOB) == PersonSettings(format="mp4")


async def test_a_code_past_its_time_and_one_that_was_replaced_join_nobody(database: Database) -> None:
    async with database.transaction() as tx:
        await people.offer(tx, ADA, "h1", 10.0)
        await people.offer(tx, ADA, "h2", 10.0)
        assert await people.join(tx, BOB, "h1", 1.0) is None
        assert await people.join(tx, BOB, "h2", 10.0) is None
        assert await people.identities(tx, ADA) == (ADA,)


async def test_what_either_was_linked_to_comes_along_and_one_may_leave(database: Database) -> None:
    fourth = Asker("discord", "4")
    async with database.transaction() as tx:
        for offering, joining in ((ADA, BOB), (EVE, fourth), (BOB, EVE)):
            await people.offer(tx, offering, "h", 10.0)
            assert await people.join(tx, joining, "h", 1.0) == offering
        assert set(await people.identities(tx, fourth)) == {ADA, BOB, EVE, fourth}
        await people.leave(tx, EVE)
        assert await people.identities(tx, EVE) == (EVE,)
        assert set(await people.identities(tx, ADA)) == {ADA, BOB, fourth}


async def test_a_refusal_is_kept_once_and_appealed_once(database: Database) -> None:
    verdict = Verdict(Ruling.REFUSED, "P1", "a reason", ("P1.a",), "plain", "v1")
    refusal = Refusal("r1", "discord", "o1", ADA, HERE, verdict, "a prompt", 5.0)
    async with database.transaction() as tx:
        assert await refusals.record(tx, refusal)
        assert not await refusals.record(tx, replace(refusal, id="r2"))
        assert await refusals.of_request(tx, "discord", "o1") == refusal
        assert await refusals.appealed(tx, "discord", "g1") == []
        assert await refusals.appeal(tx, "r1", 6.0)
        assert not await refusals.appeal(tx, "r1", 7.0)
        assert not await refusals.appeal(tx, "r2", 7.0)
        assert await refusals.get(tx, "r1") == replace(refusal, appealed_at=6.0)
        assert await refusals.appealed(tx, "discord", "g1") == [replace(refusal, appealed_at=6.0)]
        assert await refusals.appealed(tx, "discord", "g2") == []


async def test_an_update_waits_until_it_is_handled_and_its_words_go_with_it(database: Database) -> None:
    async with database.transaction() as tx:
        assert await updates.last_number(tx, "telegram") is None
        assert await updates.record(tx, "telegram", 8, {"text": "b"}, 1.0)
        assert await updates.record(tx, "telegram", 7, {"text": "a"}, 1.0)
        assert not await updates.record(tx, "telegram", 7, {"text": "other"}, 2.0)
        assert await updates.record(tx, "elsewhere", 99, {}, 1.0)
        assert await updates.waiting(tx, "telegram") == [Update(7, {"text": "a"}, 1.0), Update(8, {"text": "b"}, 1.0)]
        await updates.handled(tx, "telegram", 7, 3.0)
        assert await updates.waiting(tx, "telegram") == [Update(8, {"text": "b"}, 1.0)]
        assert not await updates.record(tx, "telegram", 7, {"text": "again"}, 4.0)
        await updates.handled(tx, "telegram", 8, 3.0)
        await updates.forget(tx, "telegram", 10.0)
        assert await updates.record(tx, "telegram", 7, {}, 4.0)
        assert await updates.last_number(tx, "telegram") == 8


async def test_the_way_to_a_card_is_found_by_nonce_and_by_message(database: Database) -> None:
    route = CardRoute("n1", HERE, "interaction", "token", 900.0)
    async with database.transaction() as tx:
        await card_routes.keep(tx, route)
        assert await card_routes.of_nonce(tx, "discord", "n1") == route
        await card_routes.set_message(tx, "discord", "n1", "m1")
        newer = replace(route, nonce="n2", token="other", until=950.0, message="m1")
        await card_routes.keep(tx, newer)
        assert await card_routes.of_message(tx, "discord", "m1") == newer
        await card_routes.forget(tx, "telegram", 960.0)
        assert await card_routes.of_message(tx, "discord", "m1") == newer
        await card_routes.forget(tx, "discord", 960.0)
        assert await card_routes.of_message(tx, "discord", "m1") is None


async def test_a_place_that_moved_keeps_its_settings_under_its_new_name(database: Database) -> None:
    async with database.transaction() as tx:
        await places.put(tx, "telegram", "-1", PlaceSettings(paused=True), 1.0)
        await moves.note(tx, "telegram", "-1", "-100", 2.0)
        await moves.note(tx, "telegram", "-1", "-100", 3.0)
        await moves.note(tx, "telegram", "-100", "-200", 4.0)
        assert await moves.moved(tx, "telegram", "-1") == "-200"
        assert await moves.moved(tx, "telegram", "-5") == "-5"
        assert (await places.settings(tx, "telegram", "-200")).paused
        assert not (await places.settings(tx, "telegram", "-1")).paused


async def test_moving_in_a_circle_ends(database: Database) -> None:
    async with database.transaction() as tx:
        await moves.note(tx, "telegram", "a", "b", 2.0)
        await moves.note(tx, "telegram", "b", "a", 3.0)
        assert await moves.moved(tx, "telegram", "a") == "b"


async def test_a_file_that_the_platform_does_not_hold_has_no_id(database: Database) -> None:
    async with database.reading() as tx:
        assert await platform_files.file(tx, "telegram", "c1", "mp4") == ""
