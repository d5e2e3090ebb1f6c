"""What a clip could be about, and the many ways people would ask for it.

`Writer.take` invents a take, `Writer.caption` words it (synonyms, plurals, typing errors, style words, words the
model does not know), `held_out` says which combinations of thing, motion and background training never shows.
Pure: words come from `words.toml`, chance from the `random.Random` that is handed in.
"""

from __future__ import annotations

import json
import random
import string
import tomllib
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from generator.training.atlas import Thing, things
from generator.training.stage import COLOURS, TINTS, Actor, Take

HELD_OUT_SHARE = 10  # one combination in ten


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The word lists."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Thing]:
    """Things by name."""
    return {thing.name: thing for thing in things()}


def held_out(thing: str, motion: str, background: str) -> bool:
    """Whether training must never show this combination; a fixed rule: CRC-32 of the words, one in ten."""
    return zlib.crc32(f"{thing}|{motion}|{background}".encode()) % HELD_OUT_SHARE == 0


def vanishes(thing: str, tint: str | None, background: str) -> bool:
    """Whether the thing would hardly show on the background."""
    return (tint or catalogue()[thing].colour) == background


def shows_motion(thing: str, motion: str) -> bool:
    """Whether the motion can be seen on the thing (a disc that spins looks the same)."""
    return motion != "spinning" or catalogue()[thing].turns


@dataclass(frozen=True)
class World:
    """What one configuration knows: names of things, backgrounds (colours and scenes) and motions."""

    things: tuple[str, ...]
    backgrounds: tuple[str, ...]
    motions: tuple[str, ...]

    def combinations(self) -> list[tuple[str, str, str]]:
        """Every (thing, motion, background) that can be seen."""
        return [
            (t, m, b)
            for t in self.things
            for m in self.motions
            for b in self.backgrounds
            if shows_motion(t, m) and not vanishes(t, None, b)
        ]

    def held_out(self) -> list[tuple[str, str, str]]:
        """The combinations kept for the measure."""
        return [one for one in self.combinations() if held_out(*one)]

    def write_held_out(self, path: Path) -> None:
        """Write the combinations down, one a line."""
        path.write_text(
            "[\n" + ",\n".join(json.dumps(list(one)) for one in self.held_out()) + "\n]\n", encoding="utf-8"
        )


def allowed(take: Take) -> bool:
    """Whether training may show the take: visible, and nothing in it held out."""
    place = take.background
    return all(
        shows_motion(a.thing, a.motion)
        and not vanishes(a.thing, a.tint, place)
        and not held_out(a.thing, a.motion, place)
        for a in take.actors
    )


class Writer:
    """Invents takes of a world and words them; all chance comes from `rng`."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.phrases = self._motion_phrases()

    def _motion_phrases(self) -> dict[str, list[str]]:
        """Phrases by motion; a motion this world lacks lends its words to the nearest one."""
        phrases = {motion: list(words()["motion"][motion]) for motion in self.world.motions}
        for motion, nearest in words()["nearest"].items():
            if motion in words()["motion"] and motion not in self.world.motions and nearest in phrases:
                phrases[nearest] += words()["motion"][motion]
        return phrases

    def take(self) -> Take:
        """A take training may show."""
        while True:
            take = self._any_take()
            if allowed(take):
                return take

    def _any_take(self) -> Take:
        rng = self.rng
        background = rng.choice(self.world.backgrounds)
        actor = self._actor(rng.choice(self.world.motions))
        chance = rng.random()
        if chance < 0.86:
            return Take((actor,), background)
        if chance < 0.90:
            return Take((replace(actor, count=rng.choice((2, 3)), size="normal"),), background)
        company = rng.choice(("beside", "riding", "riding", "meeting", "passing"))
        return self._pair(actor, company, background)

    def _pair(self, one: Actor, company: str, background: str) -> Take:
        """Two actors; meeting and passing bring their own motions."""
        one = replace(one, size="normal", speed="normal")
        motion = "right" if company in ("meeting", "passing") else one.motion
        if company == "riding":
            motion = self.rng.choice(("right", "right", one.motion))
        other = {"meeting": "left", "passing": "left"}.get(company, motion)
        two = replace(self._actor(other), size="normal", speed="normal")
        return Take((replace(one, motion=motion), two), background, company)

    def _actor(self, motion: str) -> Actor:
        rng = self.rng
        thing = rng.choice(self.world.things)
        tint = rng.choice(TINTS) if catalogue()[thing].tintable else None
        if tint and rng.random() < 0.4:
            tint = catalogue()[thing].colour
        size = rng.choice(("small", "big")) if rng.random() < 0.15 else "normal"
        speed = rng.choice(("slow", "fast")) if rng.random() < 0.12 else "normal"
        if motion in ("still", "fading", "falling"):
            speed = "normal"
        return Actor(thing, motion, tint, size, speed)

    def caption(self, take: Take, noise: float = 1.0) -> str:
        """One wording of a take; `noise` 0 gives clean ones, 1 what people type."""
        if noise and self.rng.random() < 0.15 * noise:
            parts = self._parts(take)  # something is left unsaid
            parts["place"] = "" if self.rng.random() < 0.5 else parts["place"]
            if take.actors[0].motion == "bouncing":  # nothing said about motion: things bounce
                parts["motion"] = ""
        else:
            parts = self._parts(take)
        text = self.rng.choice(words()["templates"]).format(**parts)
        return self._smudge(_tidy(text), noise) if noise else _tidy(text)

    def _parts(self, take: Take) -> dict[str, str]:
        return {"thing": self._cast(take), "motion": self._motion(take), "place": self.place(take.background)}

    def _cast(self, take: Take) -> str:
        one = self._noun(take.actors[0])
        if take.company == "alone":
            return one
        two = self._noun(take.actors[1])
        if take.company == "beside":
            return f"{one} {self.rng.choice(words()['joiners'])} {two}"
        return str(self.rng.choice(words()[take.company]).format(one=one, two=two))

    def _motion(self, take: Take) -> str:
        actor = take.actors[0]
        if take.company in ("meeting", "passing"):
            return ""
        if take.company == "riding" and actor.motion == "right" and self.rng.random() < 0.6:
            return ""
        phrase = self.rng.choice(self.phrases[actor.motion])
        if actor.speed != "normal":
            speed = self.rng.choice(words()["speed"][actor.speed])
            return f"{phrase} {speed}" if self.rng.random() < 0.7 else f"{speed} {phrase}"
        return phrase

    def _noun(self, actor: Actor) -> str:
        """The thing with article, size, colour, number."""
        rng, thing = self.rng, catalogue()[actor.thing]
        noun = thing.words[0] if rng.random() < 0.6 else rng.choice(thing.words)
        plain = actor.tint is None or (actor.tint == thing.colour and rng.random() < 0.6)
        colour = "" if plain or not actor.tint else rng.choice(words()["colour"][actor.tint])
        size = "" if actor.size == "normal" else rng.choice(words()["size"][actor.size])
        body = " ".join(part for part in (size, colour) if part)
        if actor.count > 1:
            return f"{rng.choice(words()['count'][str(actor.count)])} {body} {plural(noun)}"
        article = rng.choice(("a", "a", "a", "the", "", "one"))
        phrase = f"{body} {noun}".strip()
        if article == "a" and phrase[0] in "aeiou":
            article = "an"
        return f"{article} {phrase}"

    def place(self, background: str) -> str:
        """A wording of where it happens."""
        if background in COLOURS:
            colour = self.rng.choice(words()["colour"][background])
            return str(self.rng.choice(words()["place"]["plain"]).format(a=colour))
        phrases = list(words()["place"][background])
        for lacking, nearest in words()["nearest"].items():
            if nearest == background and lacking not in self.world.backgrounds and lacking in words()["place"]:
                phrases += words()["place"][lacking][:2]
        return str(self.rng.choice(phrases))

    def _smudge(self, text: str, noise: float) -> str:
        """What people do to a sentence: openers, style words, unknown words, typing errors, capitals."""
        rng, lists = self.rng, words()
        if rng.random() < 0.10 * noise:
            text = f"{rng.choice(lists['openers'])} {text}"
        if rng.random() < 0.10 * noise:
            text = f"{text}, {', '.join(rng.sample(lists['style'], rng.choice((1, 2))))}"
        if rng.random() < 0.10 * noise:
            pieces = text.split(" ")
            stranger = rng.choice(lists["filler"]) if rng.random() < 0.7 else _nonsense(rng)
            pieces.insert(rng.randrange(len(pieces) + 1), stranger)
            text = " ".join(pieces)
        if rng.random() < 0.06 * noise:
            text = _mistype(text, rng)
        return text.upper() if rng.random() < 0.03 * noise else text


def plural(noun: str) -> str:
    """More than one of a noun."""
    known: dict[str, str] = words()["plural"]
    return known.get(noun, noun if noun.endswith("s") else noun + "s")


def _tidy(text: str) -> str:
    """Single spaces and commas where parts were left out."""
    text = " ".join(text.split()).replace(" ,", ",").replace(",,", ",").replace(" :", ":").replace("that is is", "is")
    return text.removesuffix(" that is").removesuffix(" is").strip(" ,:")


def _nonsense(rng: random.Random) -> str:
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(3, 8)))


def _mistype(text: str, rng: random.Random) -> str:
    """One letter dropped, doubled or swapped with the next."""
    at = rng.randrange(max(1, len(text) - 1))
    kind = rng.choice(("drop", "double", "swap"))
    if kind == "drop":
        return text[:at] + text[at + 1 :]
    if kind == "double":
        return text[:at] + text[at : at + 1] + text[at:]
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
