"""The words of the moderators' pages: their labels, what is said of reviews and cases, and what can go wrong."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from bot import cards
from bot.cards.moderation import ACTIONS, decision_word
from bot.cards.moderation import action as action  # the pages say it as well
from bot.language import say
from db.records import (
    NOBODY,
    Action,
    Asker,
    Case,
    Curb,
    Decision,
    Review,
    ReviewKind,
    Standing,
    Verdict,
)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
CHANGED_CHARS = 80


# --- labels ---


def labels() -> dict[str, str]:
    """What stands in the templates."""
    return {**_of_the_frame(), **_of_the_door(), **_of_reviews(), **_of_records(), **_of_policies(), **_of_the_week()}


def _of_the_frame() -> dict[str, str]:
    return {
        "moderation": say("Moderation"),
        "skip": say("Skip to the content"),
        "sections": say("Sections"),
        "reviews": say("Reviews"),
        "cases": say("Cases"),
        "members": say("Members"),
        "policies": say("Policies"),
        "week": say("Week"),
        "places": say("Places"),
        "sign_out": say("Sign out"),
        "room": say("Back to the room"),
        "back": say("Back"),
        "home": say("Back to the console"),
        "pause": say("Pause"),
        "resume": say("Resume"),
        "paused": say("Paused: no new requests are taken here."),
        "confirm": say("Please confirm"),
        "close": say("Close"),
        "script": say("Keys and live changes need a script; everything else works without."),
    }


def _of_the_door() -> dict[str, str]:
    return {
        "door": say("This console is for moderators."),
        "by_link": say("Moderators of a chat come in by a link: ask Zoetrope there for one with its console command."),
        "by_password": say("The operator signs in with a password."),
        "no_password": say(
            "The operator can't sign in yet: make a password with `zoetrope web-password FILE` and name the file as "
            "operator_password_file under [web]."
        ),
        "password": say("Password"),
        "sign_in": say("Sign in"),
        "enter": say("You were sent a link into the moderators' pages; it is good once."),
        "enter_now": say("Sign in to the console"),
    }


def _of_reviews() -> dict[str, str]:
    return {
        "queue": say("What waits for a decision"),
        "none": say("Nothing waits for you here."),
        "none_more": say("New ones appear by themselves."),
        "keys": say(
            "Keys: a approve, r remove, f false alarm, j or n next, k previous, Space shows and plays the clip, ? help."
        ),
        "keys_title": say("Keys"),
        "approve": say("Approve"),
        "remove": say("Remove and strike"),
        "decline": say("Decline"),
        "false_alarm": say("False alarm"),
        "pass_on": say("Agree, and pass it on"),
        "reason": say("Reason (optional; the member can read it)"),
        "reason_short": say("Reason"),
        "cancel": say("Cancel"),
        "cover": say("Covered: show the clip"),
        "no_clip": say("There is no clip to see (any more)."),
        "no_words": say("The words are not kept."),
        "negative": say("Not to show"),
        "filter": say("Filter"),
        "rules": say("Rules"),
        "reports": say("Reports"),
        "no_reason": say("without a reason"),
        "asker": say("Member"),
        "standing": say("Standing"),
        "opened": say("Waiting for"),
        "next": say("Next"),
        "previous": say("Previous"),
        "help": say("Help with the keys"),
        "key_a": say("approve"),
        "key_r": say("remove, with a strike; asks for a reason"),
        "key_f": say("false alarm: the filter or the reporters were wrong"),
        "key_j": say("next"),
        "key_k": say("previous"),
        "key_space": say("show the clip, play or stop it"),
        "key_help": say("these keys"),
    }


def _of_records() -> dict[str, str]:
    return {
        "search": say("Search"),
        "words": say("Words of a reason or a rule"),
        "member": say("Member's id"),
        "action": say("Action"),
        "any": say("any"),
        "number": say("Case"),
        "when": say("When"),
        "what": say("What"),
        "who": say("Who"),
        "whom": say("Whom"),
        "why": say("Why"),
        "no_cases": say("There is no case like that here."),
        "older": say("Older"),
        "newer": say("Newer"),
        "rule": say("Rule"),
        "policy": say("Policy version"),
        "about": say("About"),
        "amended": say("Added later"),
        "amend": say("Add to this case"),
        "amendment": say("What is to be added"),
        "no_members": say("Nobody here has a strike or a restriction."),
        "look_up": say("Look somebody up"),
        "look": say("Look"),
        "points": say("Points"),
        "curb": say("Restriction"),
        "strikes": say("Strikes"),
        "no_strikes": say("No strikes."),
        "until": say("until"),
        "lifted": say("lifted"),
        "block": say("Block"),
        "unblock": say("Lift all"),
        "unblock_about": say("Ends the restriction, and lifts every strike."),
        "hours": say("Hours (empty: until it is lifted)"),
        "grant": say("Grant credits"),
        "credits": say("Credits"),
        "grant_hours": say("Hours they are good for"),
        "purge": say("Delete clips"),
        "purge_hours": say("Only of the last so many hours (empty: all)"),
        "purge_all": say("Delete everybody's clips of the last hours"),
        "purge_all_hours": say("Hours"),
    }


def _of_policies() -> dict[str, str]:
    return {
        "save": say("Save"),
        "unset": say("not set"),
        "test": say("Test a prompt"),
        "test_about": say("What would become of it here, as saved; it costs nothing and is kept nowhere."),
        "prompt": say("Prompt"),
        "try": say("Test"),
        "by_category": say("By category"),
        "by_category_about": say("Looser than the preset counts in age-restricted channels only."),
        "settings": say("What holds in this place"),
        "pausing": say("Taking requests"),
        "running": say("Requests are taken here."),
    }


def _of_the_week() -> dict[str, str]:
    return {
        "last_week": say("The last seven days"),
        "day": say("Day"),
        "clips": say("Clips"),
        "clips_a_day": say("Clips a day"),
        "refusals": say("Refusals"),
        "refusals_by_category": say("Refusals by category"),
        "reports_a_day": say("Reports a day"),
        "waiting": say("Median waiting time"),
        "as_table": say("As a table"),
        "nothing": say("Nothing happened."),
        "none_that_day": say("none"),
    }


def words() -> dict[str, str]:
    """What the scripts put on the page, by the name it has there; `{places}` are filled there."""
    return {
        "error": say("Zoetrope answered with an error ({status}); please reload the page and try again."),
        "unreached": say("Zoetrope does not answer; nothing was done, please try again."),
        "away": say("Zoetrope does not answer; this page goes on as soon as it does."),
        "news": say("A new review waits."),
        "position": say("{at} of {count}"),
    }


# --- places, people, times ---


def place(surface: str, name: str, *, private: bool = False) -> str:
    """What a place is called: platforms are asked for no names."""
    if (surface, name) == ("web", "main"):
        return say("The room of this page")
    shown = surface.capitalize()
    if private:
        return say("{surface}: private chat {place}", surface=shown, place=name)
    return say("{surface}: {place}", surface=shown, place=name)


def place_groups() -> tuple[str, str]:
    """What the two groups of places are called: those that people share, and private chats."""
    return say("Places"), say("Private chats")


def category(code: str) -> str:
    """A category with its name; the gravest go by their letter alone."""
    name = cards.CATEGORIES.get(code)
    return f"{code}: {say(name)}" if name else code or say("other")


def person(asker: Asker | None) -> str:
    """Who it is, by the platform's id; names are not stored."""
    if asker is None:
        return "–"
    if asker == NOBODY:
        return say("Zoetrope itself")
    return say("operator") if asker.id == "operator" else asker.id


def age(seconds: float) -> str:
    """A length of time, told roughly."""
    if seconds >= 2 * DAY:
        return say("{days} days", days=f"{seconds / DAY:.0f}")
    return cards.duration(MINUTE * max(1, math.floor(seconds / MINUTE + 0.5)))


def day(at: float) -> str:
    """A day of the week, and which."""
    then = datetime.fromtimestamp(at, UTC)
    return f"{say(_DAYS[then.weekday()])} {then.day}"


_DAYS = {0: "Mon", 1: "Tue", 2: "Wed", 3: "Thu", 4: "Fri", 5: "Sat", 6: "Sun"}


def span(seconds: float, unit: float) -> str:
    """A length of time in one unit, for a scale."""
    symbol = "h" if unit == HOUR else "min" if unit == MINUTE else "s"
    return f"{seconds / unit:g} {symbol}" if seconds else "0"


def unit_of(seconds: float) -> float:
    """The unit in which a scale up to so many seconds is told."""
    return next((unit for unit in (HOUR, MINUTE) if seconds > 2 * unit), 1.0)


def standing(now: Standing, at: float) -> str:
    """How somebody stands, in one line."""
    points = say("1 point") if now.points == 1 else say("{count} points", count=now.points)
    if now.curb is None:
        return points
    if now.until is None:
        return say("{points}; {curb} until it is lifted", points=points, curb=curb(now.curb))
    return say("{points}; {curb} for {time}", points=points, curb=curb(now.curb), time=age(now.until - at))


def curb(found: Curb) -> str:
    return say(_CURBED[found])


_CURBED = {Curb.COOL_DOWN: "cooling down", Curb.MUTE: "muted", Curb.BAN: "banned"}


# --- reviews ---

_KINDS = {
    ReviewKind.HELD: "Held prompt",
    ReviewKind.REPORTED: "Reported clip",
    ReviewKind.APPEAL: "Appeal",
    ReviewKind.LABELLED: "Labelled clip",
}
_WHY = {
    ReviewKind.HELD: "It is not made before you decide, and lapses a day after it was asked for.",
    ReviewKind.REPORTED: "Members have reported this clip.",
    ReviewKind.APPEAL: "Its asker says that this was refused wrongly.",
    ReviewKind.LABELLED: "It was delivered with a label; somebody is to have looked at it.",
}


def kind(found: ReviewKind) -> str:
    return say(_KINDS[found])


def why(found: ReviewKind) -> str:
    return say(_WHY[found])


def verdict(found: Verdict | None) -> str:
    """What the filter said, with the category that it saw; the gravest go by their letter alone."""
    if found is None:
        return ""
    said = ruling(found.ruling)
    if not found.category:
        return said
    name = cards.CATEGORIES.get(found.category)
    named = f"{found.category}, {say(name)}" if name else found.category
    return say("{ruling}: {category}", ruling=said, category=named)


def ruling(stored: str) -> str:
    return say({"allowed": "allowed", "labelled": "labelled", "held": "held", "refused": "refused"}[stored])


def decided(review: Review, caller: Asker) -> str:
    """What became of a review that was open a moment ago."""
    if review.decision is None or review.decision is Decision.LAPSED:
        return say("There is nothing left to decide here.")
    what = decision_word(review.kind, review.decision)
    if review.decided_by == caller:
        return say("You have decided this: {what}.", what=what)
    return say("Somebody has decided this already: {what}.", what=what)


# --- cases ---


def actions() -> tuple[tuple[str, str], ...]:
    """(value, label) of everything that a case can record."""
    return tuple((str(each), action(each)) for each in ACTIONS)


def changed(found: Case) -> str:
    """What a case of the policies changed, short enough for a line among others."""
    if found.action is not Action.POLICY:
        return ""
    said = "; ".join(f"{setting(name)}: {value}" for name, value in found.about)
    return cards.shorten(said, CHANGED_CHARS)


def case_title(found: Case) -> str:
    return say("Case {number}: {action}", number=found.number, action=action(found.action))


# --- policies ---

_SETTINGS = {
    "channels": "Channels",
    "model": "Model",
    "format": "Format",
    "steps": "Most steps",
    "frames": "Most frames",
    "side": "Longest side",
    "credits": "Credits of a person",
    "roles": "Credits by role",
    "moderators": "Roles of moderators",
    "spoiler": "Cover every clip",
    "preset": "Preset",
    "words": "Refused words",
    "overrides": "Rulings by category",
    "budget": "Credits of everybody together",
    "quiet": "Quiet hours",
    "others": "Clips of others",
    "reporters": "Reporters",
    "desk": "Moderators' channel",
    "keep": "Days that clips are kept",
}
_CHOICES = {
    "on": "on",
    "off": "off",
    "default": "default",
    "everyone": "everyone",
    "moderators": "moderators",
    "nobody": "nobody",
}


def setting(name: str) -> str:
    return say(_SETTINGS.get(name, name))


def choice(value: str) -> str:
    """A choice's label; what is a name of its own stays as it is."""
    return say(_CHOICES[value]) if value in _CHOICES else value


def ruled(code: str) -> str:
    """What a row of the policy is about; its letter and number stand beside it."""
    family, _, part = code.partition("-")
    name = say(cards.CATEGORIES.get(family, family))
    if not part:
        return name
    return say("{category}, merely shown", category=name) if part == "shown" else f"{name} ({part})"


def as_preset() -> str:
    return say("as the preset says")


# --- signing in, and what can go wrong ---


def starting() -> str:
    return say(cards.STARTING)


def not_signed_in() -> str:
    return say("You are not signed in (any more); please sign in.")


def no_such_place() -> str:
    return say("There is no such place in this console; go back and choose one.")


def platform_silent() -> str:
    return say("The platform can't be asked right now whether you moderate this place, so nothing was done; try again.")


def no_moderator() -> str:
    return say("You do not moderate this place (any more), so you were signed out.")


def wrong_token() -> str:
    return say("This page is older than your sign-in, so nothing was done; reload it and try again.")


def link_used() -> str:
    return say("This link was used already or is too old; ask Zoetrope for a new one with its console command.")


def too_many_links(seconds: float) -> str:
    return say("Those were too many wrong links; please try again in {time}.", time=cards.duration(seconds))


def nothing_here() -> str:
    return say("There is no such thing in this place (any more); go back to where you came from.")


def no_decision() -> str:
    return say("That is none of the decisions; please choose one of the buttons.")


def nothing_changed() -> str:
    return say("Nothing was changed, so nothing was saved.")


def here_is_nowhere() -> str:
    return say("This page is in no channel, so “here” means none; please write the channel's id.")


def not_said() -> str:
    return say("Please fill in all fields that are not optional.")
