"""What hands and keyboards make of a command, and what is read from it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import menu, typed
from bot.cards import answers
from bot.language import LANGUAGES, say, speaking
from bot.specs import Problem
from bot.typed import Line, read, size_of, wish_of
from db.records import Wish

FLAGS = {
    "--seed 7": ("seed", "7"),
    "—seed 7": ("seed", "7"),
    "–seed=7": ("seed", "7"),
    "--steps=20": ("steps", "20"),
    "-steps 20": ("steps", "20"),
    "--STEPS: 20": ("steps", "20"),
    "--frames:8": ("frames", "8"),
    "--size 256x256": ("size", "256x256"),
    "--size 256 × 144": ("size", "256×144"),
    "--no “blurry, grey”": ("negative", "blurry, grey"),
    "--model='zeroscope v2'": ("model", "zeroscope v2"),
    "--cfg 7,5": ("guidance", "7,5"),
}


@pytest.mark.parametrize(
    ("text", "command", "words", "options"),
    [
        ("", "", "", {}),
        ("   \n\t ", "", "", {}),
        ("a red heart", "", "a red heart", {}),
        ("/video", "video", "", {}),
        ("/video a red heart", "video", "a red heart", {}),
        ("/VIDEO@my_bot a red heart", "video", "a red heart", {}),
        ("/video@my_bot", "video", "", {}),
        ("  /video  a   red heart ", "video", "a red heart", {}),
        ("／video a heart", "video", "a heart", {}),
        ("\u200f/video قلب أحمر --seed 7", "video", "قلب أحمر", {"seed": "7"}),
        ("/video a heart --seed 7", "video", "a heart", {"seed": "7"}),
        ("/video --seed 7 a heart", "video", "a heart", {"seed": "7"}),
        ("/video a --seed 7 heart", "video", "a heart", {"seed": "7"}),
        ("/video a heart --seed=7 --steps=20", "video", "a heart", {"seed": "7", "steps": "20"}),
        ("/video a heart --Seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart\n--seed 7\n--steps 20", "video", "a heart", {"seed": "7", "steps": "20"}),
        ("/video\na heart\nthat beats", "video", "a heart that beats", {}),
        # what keyboards make of two hyphens
        ("/video a heart —seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart –seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart ―seed=7", "video", "a heart", {"seed": "7"}),
        ("/video a heart –-seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart ——seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart −−seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart ---seed 7", "video", "a heart", {"seed": "7"}),
        ("/video a heart —steps 5", "video", "a heart", {"steps": "5"}),
        # a single hyphen, where an option's name and its value follow
        ("/video a heart -steps 5", "video", "a heart", {"steps": "5"}),
        ("/video -steps 5 a heart", "video", "a heart", {"steps": "5"}),
        ("/video a heart -Steps=5 −seed:7", "video", "a heart", {"steps": "5", "seed": "7"}),
        ("/video a heart -seed -5", "video", "a heart", {"seed": "-5"}),
        ("/video a heart -size 48 x 32 -cfg 7", "video", "a heart", {"size": "48x32", "guidance": "7"}),
        ("/video a heart -no 'blurry, grey'", "video", "a heart", {"negative": "blurry, grey"}),
        ("/video a heart --no blurry, sci-fi -seed 7", "video", "a heart", {"negative": "blurry, sci-fi", "seed": "7"}),
        ("/zsettings channels +here, -there", "zsettings", "", {"channels": "+here, -there"}),
        # dashes that are words
        ("/video a heart -- red", "video", "a heart -- red", {}),
        ("/video a heart --", "video", "a heart --", {}),
        ("/video -- ", "video", "--", {}),
        ("/video a heart — red", "video", "a heart — red", {}),
        ("/video no —no— no", "video", "no —no— no", {}),
        ("/video well--known", "video", "well--known", {}),
        ("/video a sci-fi city", "video", "a sci-fi city", {}),
        ("/video -5 degrees", "video", "-5 degrees", {}),
        ("/video a heart -sede 7", "video", "a heart -sede 7", {}),
        ("/video a heart -step 7", "video", "a heart -step 7", {}),
        ("/video a heart -seed", "video", "a heart -seed", {}),
        ("/video a heart -seed=", "video", "a heart -seed=", {}),
        ("/video a heart -seed --steps 5", "video", "a heart -seed", {"steps": "5"}),
        ("/video -seeds and -loops", "video", "-seeds and -loops", {}),
        ('/video a sign "-seed 7"', "video", 'a sign "-seed 7"', {}),
        ("/video —loudly", "video", "—loudly", {}),
        ("/video 10--20 --7 --", "video", "10--20 --7 --", {}),
        # quotes
        ('/video "a red heart"', "video", "a red heart", {}),
        ("/video “a red heart”", "video", "a red heart", {}),
        ("/video „ein rotes Herz“ --seed 7", "video", "ein rotes Herz", {"seed": "7"}),
        ("/video «un cœur»", "video", "un cœur", {}),
        ('/video a sign "open" here', "video", 'a sign "open" here', {}),
        ('/video a sign "try --seed 7" here', "video", 'a sign "try --seed 7" here', {}),
        ('/video "open', "video", '"open', {}),
        ("/video 'tis a rock 'n' roll heart", "video", "'tis a rock 'n' roll heart", {}),
        ('/video a 5" disk --seed 7 and a 3" one', "video", 'a 5" disk and a 3" one', {"seed": "7"}),
        # values of several words
        ('/video a heart --negative "blurry, grey"', "video", "a heart", {"negative": "blurry, grey"}),
        (
            "/video a heart --negative “blurry, grey” --seed 7",
            "video",
            "a heart",
            {"negative": "blurry, grey", "seed": "7"},
        ),
        ("/video a heart --no ‘blurry, grey’", "video", "a heart", {"negative": "blurry, grey"}),
        ("/video a heart --no='blurry, grey'", "video", "a heart", {"negative": "blurry, grey"}),
        ("/video a heart --no=“blurry, grey” beats", "video", "a heart beats", {"negative": "blurry, grey"}),
        ("/video a heart --no blurry, grey", "video", "a heart", {"negative": "blurry, grey"}),
        ("/video a heart --no blurry, grey --seed 7", "video", "a heart", {"negative": "blurry, grey", "seed": "7"}),
        ("/video --no blurry a heart", "video", "a heart", {"negative": "blurry"}),
        # sizes
        ("/video a heart --size 256x256", "video", "a heart", {"size": "256x256"}),
        ("/video a heart --size 256×256", "video", "a heart", {"size": "256×256"}),
        ("/video a heart --size 256 x 256", "video", "a heart", {"size": "256x256"}),
        ("/video a heart --size 256 x256 red", "video", "a heart red", {"size": "256x256"}),
        ("/video --size 256x256 7 hearts", "video", "7 hearts", {"size": "256x256"}),
        ("/video --size 256 7 hearts", "video", "7 hearts", {"size": "256"}),
        ("/video --size 256x 144 hearts", "video", "hearts", {"size": "256x144"}),
        ("/video --size 256 a heart", "video", "a heart", {"size": "256"}),
        # flags without a value
        ("/video a heart --seed", "video", "a heart", {"seed": ""}),
        ("/video a heart --seed --steps 20", "video", "a heart", {"seed": "", "steps": "20"}),
        ("/video a heart --seed=", "video", "a heart", {"seed": ""}),
        ("/video a heart --seed= 7", "video", "a heart", {"seed": "7"}),
        # no commands
        ("/path/to/heaven", "", "/path/to/heaven", {}),
        ("/ a heart", "", "/ a heart", {}),
        ("/", "", "/", {}),
        ("either/or", "", "either/or", {}),
        ("💜💜 beating 🫀 --seed 7", "", "💜💜 beating 🫀", {"seed": "7"}),
        ("👨\u200d👩\u200d👧 waves", "", "👨\u200d👩\u200d👧 waves", {}),
        # other commands
        ("/gallery red heart --page 2", "gallery", "red heart", {"page": "2"}),
        ("/show k3v9x0abcd", "show", "k3v9x0abcd", {}),
        ("/link K3V9-X0AB-CD4E", "link", "K3V9-X0AB-CD4E", {}),
        ("/link K3V9--X0AB", "link", "K3V9--X0AB", {}),
        ("/queue --all", "queue", "--all", {}),
        ("/quota --steps 4 --size 64x64", "quota", "", {"steps": "4", "size": "64x64"}),
        ("/settings format gif notify off", "settings", "", {"format": "gif", "notify": "off"}),
        ("/settings format=gif --notify off", "settings", "", {"format": "gif", "notify": "off"}),
        ("/zsettings words blood, gore credits 5", "zsettings", "", {"words": "blood, gore", "credits": "5"}),
        ("/zsettings roles 12=5, 13=6 spoiler on", "zsettings", "", {"roles": "12=5, 13=6", "spoiler": "on"}),
        ("/zsettings words=blood, gore credits: 5", "zsettings", "", {"words": "blood, gore", "credits": "5"}),
        ("/zsettings channels +here", "zsettings", "", {"channels": "+here"}),
    ],
)
def test_a_line_is_read(text: str, command: str, words: str, options: dict[str, str]) -> None:
    line = read(text)
    assert (line.command, line.words, line.options) == (command, words, options)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("/video a heart", Wish("a heart")),
        ("/video", Wish("")),
        ("a heart --seed 7 --steps 20 --frames 8", Wish("a heart", seed=7, steps=20, frames=8)),
        ("a heart --size 256×144", Wish("a heart", width=256, height=144)),
        ("a heart --size 256", Wish("a heart", width=256, height=256)),
        ("a heart --guidance 7,5", Wish("a heart", guidance=7.5)),
        ("a heart --cfg=7.5", Wish("a heart", guidance=7.5)),
        ("a heart --seed −5", Wish("a heart", seed=-5)),  # for the one who checks ranges
        ("a heart --seed ٧", Wish("a heart", seed=7)),
        ("a heart --format GIF --model Pocket", Wish("a heart", format="gif", model="Pocket")),
        ("--prompt “a heart” --no text", Wish("a heart", negative="text")),
    ],
)
def test_a_wish_is_made_of_a_line(text: str, wish: Wish) -> None:
    assert wish_of(read(text)) == wish


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a heart --sede 7", "There is no option --sede; did you mean --seed?"),
        ("a heart —sede 7", "There is no option --sede; did you mean --seed?"),
        ("a heart --step 7", "There is no option --step; did you mean --steps?"),
        ("a heart --ar 16:9", "There is no option --ar; did you mean --size?"),
        ("a heart --width 64", "There is no option --width; did you mean --size?"),
        ("a heart --seed", "The option seed has no value; write it behind, such as --seed VALUE."),
        ("a heart --seed seven", "The seed must be a whole number, not 'seven'; please write one."),
        ("a heart --seed 7.5", "The seed must be a whole number, not '7.5'; please write one."),
        ("a heart --steps 1e3", "The number of steps must be a whole number, not '1e3'; please write one."),
        ("a heart --frames ½", "The number of frames must be a whole number, not '½'; please write one."),
        ("a heart --guidance much", "Guidance must be a number, not 'much'; please write one."),
        ("a heart --guidance nan", "Guidance must be a number, not 'nan'; please write one."),
        ("a heart --guidance 1e999", "Guidance must be a number, not '1e999'; please write one."),
        ("a heart --size big", "“big” is no size; write width x height in pixels, for example 48x32."),
        ("a heart --size 0x", "“0x” is no size; write width x height in pixels, for example 48x32."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, sentence: str) -> None:
    assert wish_of(read(text)) == Problem(sentence)


def test_a_flag_like_nothing_names_them_all() -> None:
    problem = wish_of(read("a heart --zzz"))
    assert isinstance(problem, Problem)
    assert problem.sentence.startswith("There is no option --zzz; there are --prompt, --negative, --seed")


def test_numbers_with_thousands_of_digits_are_no_numbers() -> None:
    assert isinstance(wish_of(read(f"a heart --seed {'9' * 5000}")), Problem)


def test_an_unknown_flag_stays_in_the_words() -> None:
    assert read("a heart --sede 7") == Line("", "a heart --sede 7", {}, ("sede",))


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("/settings", {}),
        ("/settings format gif", {"format": "gif"}),
        ("/settings size 256 x 256", {"size": "256x256"}),
        ("/zsettings role 12=5", {"roles": "12=5"}),
        ("/settings formt gif", Problem("There is no option formt; did you mean format?")),
        ("/settings --formt gif", Problem("There is no option --formt; did you mean --format?")),
        ("/settings format", Problem("The option format has no value; write it behind, such as --format VALUE.")),
    ],
)
def test_changes_of_settings_are_read(text: str, changes: dict[str, str] | Problem) -> None:
    assert typed.changes_of(read(text)) == changes


@pytest.mark.parametrize(
    ("text", "name"), [("a heart", "video"), ("/queue", "queue"), ("/zpause", "pause"), ("/zsettings", "settings")]
)
def test_the_command_is_found_in_the_menu(text: str, name: str) -> None:
    command = typed.command_of(read(text))
    assert not isinstance(command, Problem)
    assert command.name == name
    assert command.moderators == text.startswith("/z")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/vidoe a heart", "There is no command /vidoe; did you mean /video?"),
        ("/xyzzy", "There is no command /xyzzy; see /help."),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(text: str, sentence: str) -> None:
    assert typed.command_of(read(text)) == Problem(sentence)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256x256", (256, 256)),
        ("256X144", (256, 144)),
        (" 256 × 144 px ", (256, 144)),
        ("256*144", (256, 144)),
        ("64", (64, 64)),
        ("", None),
        ("x", None),
        ("256x", None),
        ("256x256x256", None),
        ("-64x64", None),
        ("9999999x1", None),
        ("2.5x2", None),
    ],
)
def test_a_size_is_two_numbers_or_one(text: str, size: tuple[int, int] | None) -> None:
    assert size_of(text) == size


# --- for any text ---

ODD = st.text(st.sampled_from("a7 -–—−=:/@\"“”„'‘’«»xX×\n\t\u200f💜sedno"), max_size=60)
WORDS = st.lists(st.from_regex(r"[a-z0-9\u0430-\u044f💜.,!?]{1,8}", fullmatch=True), max_size=8)


@settings(deadline=None)
@given(st.one_of(st.text(), ODD))
@example('/video "')
@example("--size")
@example('--seed="')
@example("“")
def test_reading_never_fails(text: str) -> None:
    line = read(text)
    assert isinstance(wish_of(line), Wish | Problem)
    assert isinstance(typed.changes_of(line), dict | Problem)


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="-‐‑‒–—―−/／"), max_size=60))
def test_no_letter_is_lost(text: str) -> None:
    """Without a flag and a command everything is words."""
    line = read(text)
    assert line.options == {}
    assert _letters(line.words) == _letters(text)


def _letters(text: str) -> Counter[str]:
    return Counter(char for char in text.lower() if unicodedata.category(char)[0] in "LN")


@settings(deadline=None)
@given(WORDS, st.lists(st.tuples(st.sampled_from(sorted(FLAGS)), st.integers(0, 8))))
def test_words_keep_their_order_whatever_flags_stand_between_them(
    words: list[str], flags: list[tuple[str, int]]
) -> None:
    pieces: list[str] = list(words)
    for flag, at in sorted(flags, key=lambda each: -each[1]):
        pieces.insert(min(at, len(words)), flag)
    line = read(" ".join(["/video", *pieces]))
    assert line.words.split() == words
    assert line.options.keys() == {FLAGS[flag][0] for flag, _ in flags}
    assert all((name, value) in FLAGS.values() for name, value in line.options.items())


@settings(deadline=None)
@given(WORDS)
def test_plain_words_are_all_there(words: list[str]) -> None:
    assert read(" ".join(words)) == Line("", " ".join(words))


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_means_the_same_before_and_behind(flag: str) -> None:
    assert read(f"{flag} a") == read(f"a {flag}") == Line("", "a", dict([FLAGS[flag]]))


# --- what is said about each option of a command, by flags and by words in their order ---

GRANTED = {"member": "123456", "credits": "2.5", "hours": "24", "reason": "a prize"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/zblock 123456", {"member": "123456"}),
        ("/zblock 123456 5 spam all day", {"member": "123456", "hours": "5", "reason": "spam all day"}),
        ("/zblock 123456 spam all day", {"member": "123456", "reason": "spam all day"}),
        ("/zblock spam all day --member <@7> —hours 0,5", {"member": "<@7>", "hours": "0,5", "reason": "spam all day"}),
        ("/zblock --reason spam all day --member 7", {"member": "7", "reason": "spam all day"}),
        ("/zgrant 123456 2.5 24", {"member": "123456", "credits": "2.5", "hours": "24"}),
        ("/zgrant 123456 2.5 as a prize", {"member": "123456", "credits": "2.5", "reason": "as a prize"}),
        ("/zgrant 123456 many", {"member": "123456", "credits": "many"}),  # which the answer is about
        ("/zcases", {}),
        ("/zcases 12", {"number": "12"}),
        ("/zcases 123456789 raid", {"member": "123456789", "words": "raid"}),
        ("/zcases <@!12> raid", {"member": "<@!12>", "words": "raid"}),
        ("/zcases a spammer --page 2", {"words": "a spammer", "page": "2"}),
        ("/zcases --words red heart", {"words": "red heart"}),
        ("/zpurge 24", {"hours": "24"}),
        ("/zpurge 123456 24", {"member": "123456", "hours": "24"}),
        ("/zpurge ab12cd34ef", {"member": "ab12cd34ef"}),
        ("/zamend 3 it was a joke", {"number": "3", "reason": "it was a joke"}),
        ("/ztest a red heart --no grey skies", {"prompt": "a red heart", "negative": "grey skies"}),
        ("/ztest “a red heart”", {"prompt": "a red heart"}),
        ("/zwhy abc", {"id": "abc"}),
        ("/report k3 it is bad", {"id": "k3", "reason": "it is bad"}),
        ("/mydata export 2", {"action": "export", "part": "2"}),
        ("/mydata delete strict", {"action": "delete", "level": "strict"}),
        ("/zreview", {}),
        # options that are called without dashes
        ("/zpurge hours lots", {"hours": "lots"}),  # which the answer is about
        ("/zpurge 24 hours", {"hours": "24"}),
        ("/zpurge hours: 1 member: 123456", {"hours": "1", "member": "123456"}),
        ("/zcases page 2", {"page": "2"}),
        ("/zcases spam page 2", {"words": "spam", "page": "2"}),
        ("/zcases number 12", {"number": "12"}),
        ("/zcases member <@12> words red heart", {"member": "<@12>", "words": "red heart"}),
        ("/zcases page turners", {"words": "page turners"}),
        ("/zcases new member list", {"words": "new member list"}),
        ("/zcases 12 7", {"number": "12", "words": "7"}),
        (
            "/zblock member 123456 hours 5 reason spam all day",
            {"member": "123456", "hours": "5", "reason": "spam all day"},
        ),
        ("/zblock 123456 5 hours spam", {"member": "123456", "hours": "5", "reason": "spam"}),
        ("/zblock 123456 hours: lots", {"member": "123456", "hours": "lots"}),
        ("/zblock 123456 for no reason at all", {"member": "123456", "reason": "for no reason at all"}),
        ("/zblock 123456 why: he spams", {"member": "123456", "reason": "he spams"}),
        ("/zblock 123456 spam for hours 3 times", {"member": "123456", "reason": "spam for hours 3 times"}),
        ("/zblock 123456 --reason spam for hours 3 times", {"member": "123456", "reason": "spam for hours 3 times"}),
        ('/zblock 123456 reason:"spam hours 3"', {"member": "123456", "reason": "spam hours 3"}),
        ("/zgrant 123456 2.5 credits 24 hours a prize", GRANTED),
        ("/zgrant member: 123456 credits: 2.5 hours: 24 reason: a prize", GRANTED),
        ("/zgrant credits=2.5 hours=24 member=123456 reason=a prize", GRANTED),
        ("/zamend number 3 reason it was a joke", {"number": "3", "reason": "it was a joke"}),
        ("/ztest negative space", {"prompt": "negative space"}),
        ("/ztest prompt a heart negative: grey skies", {"prompt": "a heart", "negative": "grey skies"}),
        ("/zwhy id: abc", {"id": "abc"}),
        ("/report id k3 reason it is bad", {"id": "k3", "reason": "it is bad"}),
        ("/mydata action delete level strict", {"action": "delete", "level": "strict"}),
        ("/mydata delete level nothing", {"action": "delete", "level": "nothing"}),
        ("/mydata export part=2", {"action": "export", "part": "2"}),
    ],
)
def test_words_are_taken_in_the_order_of_the_options(text: str, said: dict[str, str]) -> None:
    assert typed.options_of(read(text)) == said


@pytest.mark.parametrize(
    "way",
    ["{name} {value}", "{name}: {value}", "{name}:{value}", "{name}={value}", "{name}= {value}", "--{name} {value}"],
)
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("zpurge", {"hours": "1"}),
        ("zcases", {"page": "2"}),
        ("gallery", {"page": "2"}),
        ("mydata", {"action": "delete", "level": "strict"}),
        ("zgrant", {"member": "123456", "credits": "2.5", "hours": "24"}),
        ("zsettings", {"desk": "here", "steps": "20"}),
    ],
)
def test_an_option_is_called_in_every_way(way: str, command: str, said: dict[str, str]) -> None:
    words = (way.format(name=name, value=value) for name, value in said.items())
    assert read(" ".join((f"/{command}", *words))).options == said


@settings(deadline=None)
@given(st.sampled_from([name for name, _ in menu.typed_names()]), st.data())
def test_no_suggestion_repeats_the_word_that_was_typed(name: str, data: st.DataObject) -> None:
    names = [option.name for option in dict(menu.typed_names())[name].options]
    pieces = [*names, *(f"{each}:" for each in names), *(f"{each}=" for each in names), "1", "lots", "123456", "strict"]
    words = data.draw(st.lists(st.sampled_from(pieces), max_size=6))
    for said in (
        typed.options_of(read(f"/{name} {' '.join(words)}")),
        typed.changes_of(read(f"/{name} {' '.join(words)}")),
    ):
        found = (
            re.search(r"no option (\S+?):?; did you mean (\S+)\?", said.sentence) if isinstance(said, Problem) else None
        )
        assert found is None or found[1] != found[2]


def test_what_a_command_lacks_is_asked_for_with_an_example_that_holds_it() -> None:
    for name, command in menu.typed_names():
        if any(option.required for option in command.options):
            for code in LANGUAGES:
                with speaking(code):
                    example = say(answers.EXAMPLES[name])
                    assert not isinstance(typed.options_of(read(example)), Problem)
                    assert example in str(typed.options_of(read(f"/{name}")))


def test_what_is_known_otherwise_takes_no_word() -> None:
    said = typed.options_of(read("/zblock 5 spam"), {"member": "77"})
    assert said == {"member": "77", "hours": "5", "reason": "spam"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/zblock", "Please say who is meant, such as /zblock 123456789 24 spam."),
        ("/zgrant 123456", "Please say how many credits, such as /zgrant 123456789 2.5 24."),
        ("/hide", "Please say which clip is meant, by its id, such as /hide k3v9x0abcd."),
        ("/zwhy", "Please say the id of a clip, a job or a refusal, such as /zwhy k3v9x0abcd."),
        ("/zamend 3", "Please say what is to be added to the case, such as /zamend 12 it was a joke among friends."),
        ("/zpurge hours", "The option hours has no value; write it behind, such as --hours VALUE."),
        ("/zpurge hours:", "The option hours has no value; write it behind, such as --hours VALUE."),
        ("/zpurge huors 5", "There is no option huors; did you mean hours?"),
        ("/mydata delete level", "The option level has no value; write it behind, such as --level VALUE."),
        ("/zblock hours 5", "Please say who is meant, such as /zblock 123456789 24 spam."),
        ("/zreview now", "There is no option now; this command takes none."),
        ("/zstrikes 123456 7", "There is no option 7; there are member."),
        ("/zpurge a lot", "There is no option a; there are member, hours."),
        ("/zblock 123456 --hurs 5", "There is no option --hurs; did you mean --hours?"),
        ("/zblock 123456 --hours", "The option hours has no value; write it behind, such as --hours VALUE."),
        ("/zblok 123456", "There is no command /zblok; did you mean /zblock?"),
    ],
)
def test_what_a_command_lacks_is_said(text: str, sentence: str) -> None:
    assert typed.options_of(read(text)) == Problem(sentence)


def test_a_choice_that_is_called_like_a_setting_is_a_value() -> None:
    line = read("/zsettings others moderators overrides P5=refuse P4=hold, -P1 quiet 22:00-07:00 Europe/Berlin keep 30")
    assert line.options == {
        "others": "moderators",
        "overrides": "P5=refuse P4=hold, -P1",
        "quiet": "22:00-07:00 Europe/Berlin",
        "keep": "30",
    }
    assert read("/zsettings moderators +12 others nobody").options == {"moderators": "+12", "others": "nobody"}


@settings(deadline=None)
@given(st.sampled_from([name for name, _ in menu.typed_names()]), st.text(max_size=60))
def test_whatever_follows_a_command_is_read_or_answered(name: str, words: str) -> None:
    said = typed.options_of(read(f"/{name} {words}"))
    if isinstance(said, Problem):
        assert "\n" not in said.sentence
    else:
        command = dict(menu.typed_names())[name]
        assert set(said) <= {option.name for option in command.options}
        assert all(option.name in said for option in command.options if option.required)
