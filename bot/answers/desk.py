"""Every answer in the order of the menu. Who may ask for what is checked here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, intents, menu, specs
from bot.answers import changes as changing
from bot.answers import codes, costs, looks, sizes
from bot.answers.bench import Bench
from bot.answers.my_data import LIMIT_BYTES, Export, MyData
from bot.cards import Card, shorten
from bot.cards import answers as sentences
from bot.cards import bench as standings
from bot.commands import Commands, deciding
from bot.language import known, speaking
from bot.moderation import gate
from bot.port import Gone, Refused, SurfaceError
from bot.specs import Problem
from db import allowed, cases, gallery, link_tries, models, people, places, queue, quotas, requests, standing
from db.ids import new_id
from db.records import Action, Address, Asker, Caller, Case, Clip, Curb, Job, JobState, ModelFacts, PlaceSettings, Wish

PAGE_CLIPS = 5
CHANGE_CHARS = 100  # of a setting, in the case that says it was changed
DRAWS = 20  # of a random clip, until one may be shown
RECENT_PROMPTS = 25
SUGGESTIONS = 3  # of a first word

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers from the same database, rules and clock as the commands' own. `address` is where the web page is reached,
    empty where there is none."""

    commands: Commands
    address: str = ""
    bench: Bench = field(init=False)
    my_data: MyData = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bench", Bench(self.commands, self.address))
        object.__setattr__(self, "my_data", MyData(self.commands))

    # --- what waits, and what is left ---

    async def queue(self, caller: Caller) -> Card:
        """The caller's own unfinished jobs, each with its place and expected time; where others may read along, without
        the words of what was asked for elsewhere."""
        async with self.commands.database.reading() as tx:
            lines = [await _line(tx, job) for job in await queue.unfinished_of(tx, caller.asker)]
            waiting = await queue.waiting_count(tx)
        first = min((place for _, place, _ in lines if place), default=1 if lines else waiting + 1)
        with _speaking(caller):
            shown = [(_veiled(job, caller), place, expected) for job, place, expected in lines]
            return _to(caller, sentences.queue(shown, first - 1))

    async def cancel(self, caller: Caller, job: str = "") -> Card:
        """Stop one of the caller's jobs; none named: the newest unfinished one."""
        named = job.strip().casefold()
        if not named:
            async with self.commands.database.reading() as tx:
                unfinished = await queue.unfinished_of(tx, caller.asker)
            running = [each.id for each in unfinished if not each.cancel_asked] or [each.id for each in unfinished]
            named = running[-1] if running else ""
        if not named or intents.parse(f"c:{named}") is None:
            with _speaking(caller):
                return _to(caller, sentences.note(sentences.nothing_to_cancel(named)))
        outcome = await self.commands.press(caller, intents.token(intents.Cancel(named)), new_id())
        return _to(caller, sentences.note(outcome.sentence))

    async def quota(self, caller: Caller, wish: Wish | None = None) -> Card:
        """What is left, when more comes, and what `wish` would cost (its prompt may be empty)."""
        now = self.commands.clock()
        async with self.commands.database.reading() as tx:
            place = await _place(tx, caller)
            likes = await people.settings(tx, caller.asker)
            allowance = self.commands.allowance.at(place, caller.circumstances.roles)
            here = caller.address
            usage = await quotas.usage(tx, caller.asker, now - allowance.window, now, here.surface, here.place)
            known = await models.known(tx)
            spent_here = await self.commands.spent_here(tx, caller.address, place, now)
        account = costs.Account(usage, allowance, now, place.budget, spent_here)
        with _speaking(caller):
            if wish is None:
                return _to(caller, account.card())
            said = specs.storable(wish, self.commands.limits)
            wish = specs.preferred(said, likes, place, specs.FORMATS)
            limits = specs.tightened(self.commands.limits, place)
            price = costs.price(wish, known, self.commands.default_model, limits, said)
            return _to(caller, cards.problem(price.sentence) if isinstance(price, Problem) else account.card(price))

    # --- what has been made ---

    async def gallery(self, caller: Caller, words: str = "", page: int = 1) -> Card:
        """A page of the clips made here (in private: the caller's own), with buttons to show one and to turn pages."""
        here = (caller.address.surface, caller.address.place, _owner(caller))
        words = words.strip()
        async with self.commands.database.reading() as tx:
            with _speaking(caller):
                if no := await gate.barred(tx, caller, Curb.BAN, self.commands.clock()):
                    return _to(caller, sentences.note(no, well=False))
            count = await gallery.count(tx, *here, words)
            pages = -(-count // PAGE_CLIPS)
            there = 1 <= page <= pages
            clips = await gallery.browse(tx, *here, words, (page - 1) * PAGE_CLIPS, PAGE_CLIPS) if there else []
        with _speaking(caller):
            return _to(caller, sentences.gallery(clips, page, pages, count, words))

    async def random_clip(self, caller: Caller) -> str:
        """The id of any clip of the gallery that the caller sees and that may be shown here, or empty."""
        here, commands = caller.address, self.commands
        async with commands.database.reading() as tx:
            place = await _place(tx, caller)
            harmless = await allowed.prompts(tx, here.surface, here.place)
            for _ in range(DRAWS):
                clip = await gallery.random(tx, here.surface, here.place, _owner(caller), commands.rng.random())
                if clip is None:
                    break
                if deciding.may_stand(clip, place, caller.circumstances, commands.policy, harmless):
                    return clip.id
        return ""

    async def found(self, caller: Caller, words: str, limit: int = 50) -> list[Clip]:
        """Clips of the caller, and of places where the caller has asked for clips, whose prompts hold `words`."""
        async with self.commands.database.reading() as tx:
            return await gallery.found(tx, caller.asker, words, limit)

    async def last_job(self, caller: Caller) -> str:
        """The id of the caller's newest job, or empty; where others read along, only of what was asked for here."""
        near = None if caller.circumstances.private else caller.address
        async with self.commands.database.reading() as tx:
            job = await queue.last_of(tx, caller.asker, near)
        return job.id if job else ""

    # --- settings ---

    async def settings(self, caller: Caller, changes: Mapping[str, str]) -> Card:
        """What the caller prefers, after `changes`; one that can't be taken means that none is."""
        with _speaking(caller):
            async with self.commands.database.transaction() as tx:
                now = await people.settings(tx, caller.asker)
                ground = await self._ground(tx, caller, await _place(tx, caller))
                after = changing.personal(now, changes, ground)
                if isinstance(after, Problem):
                    return _to(caller, cards.problem(after.sentence))
                if after != now:
                    await people.put(tx, caller.asker, after)
            return _to(caller, sentences.settings(after, changed=bool(changes)))

    async def place_settings(self, caller: Caller, changes: Mapping[str, str]) -> Card:
        """What holds in the place, after `changes` by a moderator; one that can't be taken means that none is.

        Who else counts as a moderator is for those alone whom the platform lets manage the place.
        """
        if "moderators" in changes and not caller.circumstances.moderator:
            with _speaking(caller):
                return _to(caller, sentences.note(sentences.only_the_platforms_moderators(), well=False))
        with _speaking(caller):
            async with self.commands.database.transaction() as tx:
                if not await gate.moderates(tx, caller, self.commands.clock()):
                    return _to(caller, sentences.note(sentences.only_moderators(), well=False))
                now = await _place(tx, caller)
                after = changing.of_place(now, changes, await self._ground(tx, caller, now))
                if isinstance(after, Problem):
                    return _to(caller, cards.problem(after.sentence))
                about = tuple((name, shorten(specs.clean(text), CHANGE_CHARS)) for name, text in changes.items())
                await self._keep(tx, caller, now, after, Action.POLICY, about)
            trouble = await self._open_desk(caller, after.desk) if "desk" in changes and after.desk else ""
            loosened = changing.loosened(after, self.commands.policy)
            shown = sentences.place_settings(after, changed=bool(changes), loosened=loosened, trouble=trouble)
            return _to(caller, shown)

    async def _open_desk(self, caller: Caller, desk: str) -> str:
        """What is wrong with it, found out by saying there what it is for; or nothing."""
        here = caller.address
        surface = self.commands.surfaces.get(here.surface)
        if surface is None:  # switched off: it is tried when a card is to be shown
            return ""
        try:
            await surface.show(Address(here.surface, here.place, desk), sentences.desk_opened(), new_id())
        except (Gone, Refused):
            return sentences.desk_closed()
        except SurfaceError as error:
            log.info("Nothing could be said at a desk just now (%s).", type(error).__name__)
        return ""

    async def pause(self, caller: Caller) -> Card:
        """A moderator has no more requests taken in the place."""
        return await self._set_paused(caller, sentences.paused, paused=True)

    async def resume(self, caller: Caller) -> Card:
        """A moderator has requests taken again."""
        return await self._set_paused(caller, sentences.resumed, paused=False)

    async def _set_paused(self, caller: Caller, sentence: Callable[[bool], str], *, paused: bool) -> Card:
        with _speaking(caller):
            async with self.commands.database.transaction() as tx:
                if not await gate.moderates(tx, caller, self.commands.clock()):
                    return _to(caller, sentences.note(sentences.only_moderators(), well=False))
                now = await _place(tx, caller)
                await self._keep(
                    tx, caller, now, replace(now, paused=paused), Action.PAUSE if paused else Action.RESUME
                )
            return _to(caller, sentences.note(sentence(now.paused is paused)))

    async def _keep(
        self,
        tx: AsyncConnection,
        caller: Caller,
        now: PlaceSettings,
        after: PlaceSettings,
        action: Action,
        about: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """What holds from now on, with the case that says so; where nothing changes there is none."""
        if after == now:
            return
        there, moment = (caller.address.surface, caller.address.place), self.commands.clock()
        await places.put(tx, *there, after, moment)
        await cases.add(tx, Case(*there, 0, caller.asker, None, action, "", moment, about=about))

    async def _ground(self, tx: AsyncConnection, caller: Caller, place: PlaceSettings) -> changing.Ground:
        return changing.Ground(
            thread=caller.address.thread,
            models=await models.known(tx),
            default_model=place.model or self.commands.default_model,
            limits=self.commands.limits,
            credits=max(self.commands.allowance.credits, self.commands.allowance.most),
            categories=tuple(sorted({name for rows in self.commands.policy.presets.values() for name in rows})),
            language=known(caller.circumstances.language),
        )

    # --- how one stands ---

    async def strikes(self, caller: Caller) -> Card:
        """What counts against the caller here, until when, and why; who decided is not said."""
        now, here = self.commands.clock(), caller.address
        async with self.commands.database.reading() as tx:
            stand = await looks.stand(tx, caller.asker, here.surface, here.place, now)
        with _speaking(caller):
            return _to(caller, standings.own_strikes(stand, now))

    # --- what this is ---

    async def help(self, caller: Caller, prefix: str = "/", moderators: str = "/z") -> Card:
        """The commands that the caller may give; `prefix` stands before everybody's, `moderators` before those of
        moderators."""
        now = self.commands.clock()
        async with self.commands.database.reading() as tx:
            theirs = await gate.moderates(tx, caller, now)
            banned = await gate.is_banned(tx, caller, now)
        listed = [
            (f"{moderators if command.moderators else prefix}{command.name}", command.description)
            for command in menu.COMMANDS
            if (theirs or not command.moderators) and (not banned or command.name in menu.OF_THE_BANNED)
        ]
        options = [] if banned else [option.name for option in menu.COMMANDS[0].options]
        with _speaking(caller):
            return _to(caller, sentences.help(listed, options))

    async def privacy(self, caller: Caller) -> Card:
        """What is stored, for how long, what never leaves the machine, and how to have it deleted."""
        return await self.my_data.privacy(caller)

    async def my_data_export(self, caller: Caller, part: int = 1, limit_bytes: int = LIMIT_BYTES) -> Export:
        """Everything about the caller as a file, or one part of it; for them alone. `discard` it afterwards."""
        return await self.my_data.export(caller, part, limit_bytes)

    async def my_data_delete(self, caller: Caller, level: str = "") -> Card:
        """Ask whether everything about the caller shall be deleted; `level` is user or strict."""
        return await self.my_data.delete(caller, level)

    async def start(self, caller: Caller) -> Card:
        """What this is, and three prompts that the default model is good at."""
        suggestions = (await self.suggestions())[:SUGGESTIONS]
        with _speaking(caller):
            return _to(caller, sentences.start(suggestions))

    # --- one person on two platforms ---

    async def link(self, caller: Caller, code: str = "", *, whispered: bool = False) -> Card:
        """Without a code: one to be typed elsewhere; with one: the two identities are joined; "undo": parted again.

        `whispered`: whether the surface shows this answer to the caller alone; a code is shown nowhere else.
        """
        code = code.strip()
        with _speaking(caller):
            if code.casefold() == menu.UNDO:
                return _to(caller, await self._part(caller.asker))
            if code:
                return _to(caller, await self._join(caller.asker, code))
            if not whispered and not caller.circumstances.private:
                return _to(caller, sentences.note(sentences.not_alone(), well=False))
            return _to(caller, await self._offer(caller.asker))

    async def _offer(self, asker: Asker) -> Card:
        shown = codes.new()
        until = self.commands.clock() + codes.SECONDS
        async with self.commands.database.transaction() as tx:
            await people.offer(tx, asker, codes.hashed(codes.read(shown)), until)
            linked = await _others(tx, asker)
        return sentences.code(shown, codes.SECONDS, linked)

    async def _join(self, asker: Asker, typed: str) -> Card:
        now, code = self.commands.clock(), codes.read(typed)
        if not code:
            return sentences.note(sentences.no_code(typed), well=False)
        async with self.commands.database.transaction() as tx:
            await link_tries.forget(tx, now - codes.TRY_SECONDS)
            if await link_tries.count(tx, asker, now - codes.TRY_SECONDS) >= codes.TRIES:
                return sentences.note(sentences.too_many_codes(codes.TRY_SECONDS), well=False)
            if await people.offered_by(tx, codes.hashed(code), now) == asker:
                return sentences.note(sentences.your_own_code(), well=False)
            if await people.join(tx, asker, codes.hashed(code), now) is None:
                await link_tries.note(tx, asker, now)
                return sentences.note(sentences.wrong_code(), well=False)
            return sentences.linked(await _others(tx, asker))

    async def _part(self, asker: Asker) -> Card:
        async with self.commands.database.transaction() as tx:
            before = len(await people.identities(tx, asker)) > 1
            await standing.share(tx, asker, self.commands.clock())
            await people.leave(tx, asker)
        return sentences.note(sentences.parted(before))

    # --- what is suggested while somebody types ---

    async def recent_prompts(self, caller: Caller, start: str = "") -> list[str]:
        """The caller's own last prompts that begin with `start`, newest first."""
        async with self.commands.database.reading() as tx:
            return await requests.recent_prompts(tx, caller.asker, start, RECENT_PROMPTS)

    async def models(self, start: str = "") -> list[ModelFacts]:
        """The models that can be asked for, whose names begin with `start` or whose titles hold it."""
        async with self.commands.database.reading() as tx:
            known = await models.known(tx)
        wanted = start.casefold()
        return [each for each in known if each.name.casefold().startswith(wanted) or wanted in each.title.casefold()]

    async def sizes(self, caller: Caller, start: str = "") -> list[str]:
        """Sizes such as "256x256" that the default model makes here."""
        async with self.commands.database.reading() as tx:
            place = await _place(tx, caller)
            known = await models.known(tx)
        model = _named(known, place.model or self.commands.default_model)
        tried = sizes.worth_trying(model, self.commands.limits) if model else []
        return [size for size in tried if size.startswith(start)]

    async def suggestions(self) -> tuple[str, ...]:
        """Prompts that the default model is good at."""
        async with self.commands.database.reading() as tx:
            model = _named(await models.known(tx), self.commands.default_model)
        return model.suggestions if model else ()


def _speaking(caller: Caller) -> AbstractContextManager[None]:
    return speaking(caller.circumstances.language)


def _to(caller: Caller, card: Card) -> Card:
    return replace(card, asker=caller.asker)


def _owner(caller: Caller) -> Asker | None:
    """Whose clips are to be seen: in private only one's own."""
    return caller.asker if caller.circumstances.private else None


def _named(known: list[ModelFacts], name: str) -> ModelFacts | None:
    return next((model for model in known if model.name == name), None)


def _veiled(job: Job, caller: Caller) -> Job:
    here, there = caller.address, job.handle.address
    if caller.circumstances.private or (here.surface, here.place) == (there.surface, there.place):
        return job
    return replace(job, spec=replace(job.spec, prompt=sentences.elsewhere()))


async def _place(tx: AsyncConnection, caller: Caller) -> PlaceSettings:
    return await places.settings(tx, caller.address.surface, caller.address.place)


async def _others(tx: AsyncConnection, asker: Asker) -> list[str]:
    """The surfaces of the identities that are linked with this one."""
    return [other.surface for other in await people.identities(tx, asker) if other != asker]


async def _line(tx: AsyncConnection, job: Job) -> tuple[Job, int, float | None]:
    """A job, its place in line (0: it does not wait), and the seconds until its clip may be there."""
    place = await queue.place(tx, job.id)
    typical = await gallery.typical_seconds(tx, job.spec.model) if job.state is JobState.QUEUED else None
    return job, place, typical * place if typical else None
