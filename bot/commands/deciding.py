"""Steps 3 and 4 of the way of a clip: a request is judged and paid for, or gets the first no as its answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot import cards, quiet, quota, safety, specs
from bot.cards import Card
from bot.cards import closed as closings
from bot.language import known, say
from bot.outcomes import Outcome, Result
from db.config import LimitsConfig
from db.records import (
    Circumstances,
    Clip,
    ClipSpec,
    Handle,
    Job,
    JobState,
    ModelFacts,
    PersonSettings,
    PlaceSettings,
    Refusal,
    Request,
    Ruling,
    Standing,
    Usage,
    Verdict,
    Wish,
)

MODERATORS, NOBODY_ELSE = "moderators", "nobody"  # who besides its asker may have a clip made again


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has set."""

    policy: safety.Policy
    allowance: quota.Allowance
    limits: LimitsConfig
    default_model: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What has to be known to decide about a request, read at one moment."""

    now: float
    models: Sequence[ModelFacts]
    usage: Usage
    ahead: int
    typical: float | None  # seconds that a clip of the model usually takes
    formats: tuple[str, ...]
    place: PlaceSettings
    person: PersonSettings
    earlier: tuple[str, ...]  # prompts it goes on from, oldest first
    spent_here: tuple[tuple[float, int], ...]  # (time, credits) of everybody in the place within the window
    standing: Standing
    allowed: tuple[str, ...]  # prompts that the moderators of the place found harmless


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided: a card to show and, where all went well, the job behind it."""

    result: Result
    card: Card
    job: Job | None = None
    verdict: Verdict | None = None
    refusal: Refusal | None = None

    def outcome(self, handle: Handle | None = None) -> Outcome:
        return Outcome(self.result, self.card.status, self.job.id if self.job else "", handle, self.verdict)


def decide(
    request: Request, situation: Situation, rules: Rules, make_id: Callable[[], str], seed: Callable[[], int]
) -> Plan:
    """The place's own no, spec, verdict and quota in turn; the first no is the answer."""
    if no := closed(request, situation.place, situation.standing, situation.now):
        return Plan(Result.PROBLEM, cards.not_here(no, request.asker))
    wish = specs.preferred(request.wish, situation.person, situation.place, situation.formats)
    spec = resolve(request.wish, wish, situation, rules, seed)
    if isinstance(spec, specs.Problem):
        return Plan(Result.PROBLEM, cards.problem(spec.sentence, request.asker))
    verdict = judge(request, spec, situation, rules.policy)
    granted = pay(verdict, allowance(request, situation, rules), price(spec, situation), situation)
    if isinstance(granted, quota.Denied):
        return Plan(Result.DENIED, cards.denied(granted, situation.now, request.asker), verdict=verdict)
    if verdict.ruling is Ruling.REFUSED:
        return _refused(request, spec, verdict, situation.now, make_id())
    job = _job(request, spec, verdict, granted.cost, wish.format or situation.formats[0], situation.now, make_id())
    return _queued(job, situation)


def closed(request: Request, place: PlaceSettings, standing: Standing, now: float) -> str:
    """Why this person, or nobody, gets a clip here just now, or nothing."""
    if standing.curb is not None:
        return closings.curbed(standing.curb, standing.until, now)
    if place.paused:
        return say(cards.PAUSED)
    if place.threads and {request.address.thread, request.circumstances.parent}.isdisjoint(place.threads):
        return say(cards.WRONG_THREAD)
    return _quiet(place.quiet, now)


def _quiet(hours: str, now: float) -> str:
    set_ = quiet.parse(hours)
    end = quiet.until(set_, now) if set_ else None
    return closings.quiet(end, set_.zone, now) if set_ and end else ""


def may_have_again(place: PlaceSettings, *, moderates: bool) -> str:
    """Why somebody may not have the clip of somebody else made again here, or nothing."""
    if place.others == NOBODY_ELSE:
        return say(closings.NOBODYS)
    return say(closings.NOT_OTHERS) if place.others == MODERATORS and not moderates else ""


def resolve(
    said: Wish, wish: Wish, situation: Situation, rules: Rules, seed: Callable[[], int]
) -> ClipSpec | specs.Problem:
    """The spec of `wish`, which is what was `said` with its gaps filled by preferences."""
    limits = specs.tightened(rules.limits, situation.place)
    return specs.resolve(wish, situation.models, rules.default_model, limits, seed, situation.formats, said)


def judge(request: Request, spec: ClipSpec, situation: Situation, policy: safety.Policy) -> Verdict:
    """By everything the person wrote and what the place has chosen."""
    place = situation.place
    writing = safety.Writing(spec.prompt, spec.negative, earlier=situation.earlier)
    verdict = safety.judge(writing, policy, house(place, request.circumstances, situation.allowed))
    return replace(verdict, spoiler=verdict.spoiler or place.spoiler)


def may_stand(
    clip: Clip,
    place: PlaceSettings,
    circumstances: Circumstances,
    policy: safety.Policy,
    allowed: tuple[str, ...] = (),
) -> bool:
    """Whether the rules of a place let a finished clip be shown there, wherever it was made. `allowed` are prompts that
    its moderators found harmless."""
    writing = safety.Writing(clip.spec.prompt, clip.spec.negative)
    return safety.judge(writing, policy, house(place, circumstances, allowed)).ruling is not Ruling.REFUSED


def house(place: PlaceSettings, circumstances: Circumstances, allowed: tuple[str, ...] = ()) -> safety.House:
    """What a place has chosen, as the filter asks for it."""
    return safety.House(place.preset, place.words, circumstances.age_restricted, place.overrides, allowed)


def pay(verdict: Verdict, allowed: quota.Allowance, price_: int, situation: Situation) -> quota.Granted | quota.Denied:
    """Whether the request can be paid for, by the place and then by the person. A refusal costs less, but whoever can't
    pay even that learns nothing of the verdict: else probing would be free as soon as nothing is left."""
    here = quota.decide_here(situation.spent_here, situation.place.budget, allowed.window, price_, situation.now)
    if isinstance(here, quota.Denied):
        return here
    granted = quota.decide(situation.usage, allowed, price_, situation.now)
    if verdict.ruling is not Ruling.REFUSED or isinstance(granted, quota.Granted):
        return granted
    return granted if _is_broke(situation, allowed) else quota.Granted(allowed.refused)


def _is_broke(situation: Situation, allowed: quota.Allowance) -> bool:
    return isinstance(quota.decide(situation.usage, allowed, allowed.refused, situation.now), quota.Denied)


def allowance(request: Request, situation: Situation, rules: Rules) -> quota.Allowance:
    """What this person may use in this place."""
    return rules.allowance.at(situation.place, request.circumstances.roles)


def price(spec: ClipSpec, situation: Situation) -> int:
    """What a resolved spec costs, in thousandths of a standard clip."""
    return quota.cost(spec, next(model for model in situation.models if model.name == spec.model))


def _refused(request: Request, spec: ClipSpec, verdict: Verdict, now: float, refusal_id: str) -> Plan:
    verdict = replace(verdict, spoiler=False)
    refusal = Refusal(
        id=refusal_id,
        surface=request.surface,
        request=request.id,
        asker=request.asker,
        address=request.address,
        verdict=verdict,
        prompt=spec.prompt,
        created_at=now,
    )
    card = cards.refused(verdict, request.asker, refusal_id)
    return Plan(Result.REFUSED, card, verdict=verdict, refusal=refusal)


def _queued(job: Job, situation: Situation) -> Plan:
    place = situation.ahead + 1
    ready_at = None if situation.typical is None else situation.now + situation.typical * place
    card = cards.of(job, place=place, ready_at=ready_at)
    return Plan(Result.HELD if job.state is JobState.HELD else Result.QUEUED, card, job, job.verdict)


def _job(request: Request, spec: ClipSpec, verdict: Verdict, cost: int, format_: str, now: float, job_id: str) -> Job:
    return Job(
        id=job_id,
        asker=request.asker,
        handle=Handle(request.address, request.message),
        spec=spec,
        verdict=verdict,
        format=format_,
        cost=cost,
        state=JobState.HELD if verdict.ruling is Ruling.HELD else JobState.QUEUED,
        attempt=0,
        created_at=now,
        changed_at=now,
        origin=request.made_from,
        language=known(request.circumstances.language),
    )
