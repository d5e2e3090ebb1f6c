"""The `zoetrope` command: arguments and environment are read here and nowhere else.

Exit status: 0 done, 1 it could not be done, 2 wrongly asked, 3 refused by the safety rules, 130 stopped by Ctrl-C.
Whatever a person can cause is one sentence on standard error, never a traceback. What a command needs is imported when
it runs, so that `zoetrope --help` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from bot.cli.wrong_use import guarded

DONE = 0

FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path)


class Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels, as in 64x64."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        width, cross, height = str(value).lower().partition("x")
        if not (cross and width.isdecimal() and height.isdecimal() and len(value) < 20):
            self.fail(f"{value!r} is not a size; write it as WIDTHxHEIGHT, like 64x64", param, ctx)
        return int(width), int(height)


class Snowflake(click.ParamType[str]):
    """An id as Discord copies it."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not (str(value).isdecimal() and len(value) <= 20):
            self.fail(
                f"{value!r} is no ID; switch Developer Mode on in Discord, right-click the channel, Copy Channel ID",
                param,
                ctx,
            )
        return str(value)


config_option = click.option("--config", "file", type=FILE, help="Configuration file; else config.toml, if there.")
data_option = click.option("--data", type=FOLDER, help="Folder for everything Zoetrope writes (or ZOETROPE_DATA).")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="zoetrope", message="zoetrope %(version)s")
def cli() -> None:
    """Zoetrope: text-to-video in the chats where people already are."""


@cli.command()
@config_option
@data_option
def run(file: Path | None, data: Path | None) -> int:
    """Serve the configured chats and the web page."""
    from db.config import chosen

    return _serve(chosen(file), data, None, None, play=False)


@cli.command()
@click.option("--host", help="Address to bind.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; 0 takes any free one.")
@data_option
def play(host: str | None, port: int | None, data: Path | None) -> int:
    """Serve the web page alone, on defaults.

    No configuration file is read.
    """
    return _serve(None, data, host, port, play=True)


def _serve(file: Path | None, data: Path | None, host: str | None, port: int | None, *, play: bool) -> int:
    from bot.app import Choices, serve
    from bot.cli.loops import run_until_stopped
    from bot.cli.output import remark, say
    from bot.logs import set_up
    from db.config import load, load_secrets

    config = load(file, os.environ, data)
    web = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    config = config.model_copy(update={"web": config.web.model_copy(update=web)})
    set_up(config.log.level, sys.stderr)
    choices = Choices(config, load_secrets(config, os.environ), file, dict(os.environ), web_only=play)
    try:
        run_until_stopped(serve(choices, say))
    except KeyboardInterrupt:  # the ordinary way to stop a server
        remark("Stopped.")
    return DONE


@cli.command()
@click.argument("prompts", nargs=-1, required=True)
@click.option("-o", "--out", type=FILE, required=True, help="File to write, or folder for several prompts.")
@click.option("--negative", default="", help="What the clip should not show.")
@click.option("--seed", type=int, help="The same seed gives the same clip.")
@click.option("--steps", type=int, help="Denoising steps.")
@click.option("--guidance", type=float, help="How closely to follow the prompt.")
@click.option("--frames", type=int, help="How many frames.")
@click.option("--size", type=Size(), metavar="WxH", help="Size in pixels.")
@click.option("--fps", type=int, help="Frames a second.")
@click.option("--model", help="Model to render with.")
@click.option("--format", "clip_format", type=click.Choice(["gif", "mp4", "webp"]), help="Or by OUT's ending.")
@config_option
@json_option
def video(
    prompts: tuple[str, ...], out: Path, clip_format: str | None, file: Path | None, as_json: bool, **wish: Any
) -> int:
    """Render clips from the shell.

    One clip for each prompt, by the same ten steps as in a chat.
    """
    from bot.cli.loops import run_until_stopped
    from bot.cli.video import Order, film
    from bot.logs import set_up
    from db.config import chosen, load

    set_up("ERROR", sys.stderr)
    width, height = wish.pop("size") or (None, None)
    order = Order(prompts, out, {**wish, "width": width, "height": height}, clip_format, as_json)
    return run_until_stopped(film(order, load(chosen(file), os.environ), os.environ))


@cli.command()
@click.argument("prompts", nargs=-1)
@click.option(
    "--policy",
    "preset",
    type=click.Choice(["family", "general", "adult-channel"]),
    default="general",
    show_default=True,
    help="The kind of place that is asked in.",
)
@click.option("--explain", is_flag=True, help="Show every view of a prompt and what matched, for operators only.")
@config_option
@json_option
def judge(prompts: tuple[str, ...], preset: str, file: Path | None, *, explain: bool, as_json: bool) -> int:
    """Say what the safety rules make of prompts.

    Prompts come from the arguments, or from standard input, one a line; empty lines are passed over.
    """
    from bot.cli.judge import checked, explain_all, house, judge_all, written
    from bot.safety import Rulebook
    from db.config import chosen, load

    if explain and as_json:
        raise click.UsageError("--explain is for reading: leave out --json.")
    given = checked(prompts) if prompts else written(_lines_of_input())
    policy = Rulebook.open(load(chosen(file), os.environ).safety.folder).policy
    if explain:
        explain_all(given, policy, house(preset))
    else:
        judge_all(given, policy, house(preset), as_json=as_json)
    return DONE


def _lines_of_input() -> Sequence[str]:
    if sys.stdin is None:
        raise click.UsageError("There are no prompts: give them as arguments or on standard input.")
    return sys.stdin.buffer.read().decode(errors="replace").splitlines()


@cli.command()
@click.argument("surface", type=click.Choice(["discord", "telegram", "web"]))
@click.argument("id")
@click.argument("credits", type=click.FloatRange(min=0, max=1_000_000, min_open=True))
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=100_000, min_open=True),
    default=24.0,
    show_default=True,
    help="How long they are good for.",
)
@click.option("--new", is_flag=True, help="Also to somebody who has not come yet.")
@config_option
@data_option
def grant(
    surface: str,
    id: str,  # noqa: A002
    credits: float,  # noqa: A002
    hours: float,
    file: Path | None,
    data: Path | None,
    *,
    new: bool,
) -> int:
    """Give somebody credits on top.

    A credit is a standard clip; ID is the person's own on that platform.
    """
    from bot.cli.grant import Gift, give
    from bot.cli.loops import run_until_stopped
    from db.config import chosen, load

    config = load(chosen(file), os.environ, data)
    run_until_stopped(give(Gift(surface, id, credits, hours, new), config))
    return DONE


@cli.command("false-alarms")
@click.option("-o", "--out", type=FILE, help="File to write; else they are printed.")
@config_option
@data_option
def false_alarms(out: Path | None, file: Path | None, data: Path | None) -> int:
    """List what moderators found the filter wrong about.

    A line a prompt, as the tests of the filter read it: what it deserves, what it was taken for, its words.
    """
    from bot.cli.false_alarms import export
    from bot.cli.loops import run_until_stopped
    from db.config import chosen, load

    run_until_stopped(export(load(chosen(file), os.environ, data), out))
    return DONE


@cli.group()
def mydata() -> None:
    """Hand out or delete what is stored about somebody.

    PERSON is SURFACE:ID, such as telegram:4711, with the id that the platform itself uses.
    """


@mydata.command("export")
@click.argument("person")
@click.option("-o", "--out", type=FILE, help="Zip file to write; else zoetrope-data-SURFACE-ID.zip.")
@config_option
@data_option
def mydata_export(person: str, out: Path | None, file: Path | None, data: Path | None) -> int:
    """Write everything about PERSON into a zip file, clips included."""
    from bot.cli import my_data
    from bot.cli.loops import run_until_stopped
    from db.config import chosen, load

    run_until_stopped(my_data.export(my_data.person(person), load(chosen(file), os.environ, data), out))
    return DONE


@mydata.command("delete")
@click.argument("person")
@click.option(
    "--level",
    type=click.Choice(["user", "strict", "owner", "platform"]),
    default="user",
    show_default=True,
    help="How far it goes: docs/privacy.md says what goes with which.",
)
@click.option("--yes", is_flag=True, help="Do not ask first.")
@config_option
@data_option
def mydata_delete(person: str, level: str, file: Path | None, data: Path | None, *, yes: bool) -> int:
    """Delete what is stored about PERSON; this can't be taken back."""
    from bot.cli import my_data
    from bot.cli.loops import run_until_stopped
    from db.config import chosen, load
    from db.records import Requester

    who, config = my_data.person(person), load(chosen(file), os.environ, data)
    if not yes:
        run_until_stopped(my_data.find(who, config))
        click.confirm(f"Delete what {level} covers of {person}?", abort=True, err=True)
    run_until_stopped(my_data.delete(who, Requester(level), config))
    return DONE


@cli.command("web-password")
@click.argument("file", type=FILE)
def web_password(file: Path) -> int:
    """Make the password of the web page.

    FILE gets its hash. The password is asked for, or read from standard input where that is no terminal.
    """
    from bot.cli.web_password import keep

    keep(file, _asked_password)
    return DONE


def _asked_password() -> str:
    if sys.stdin is None:
        raise click.UsageError("There is no password: give it on standard input.")
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@cli.command()
@config_option
@data_option
@click.option("--discord", is_flag=True, help="Ask Discord too: token, application, commands, invite link.")
@click.option("--channel", type=Snowflake(), metavar="ID", help="And whether cards can be shown in this channel of it.")
@click.option("--telegram", is_flag=True, help="Ask Telegram too: token, groups, inline, updates.")
def doctor(file: Path | None, data: Path | None, channel: str | None, *, discord: bool, telegram: bool) -> int:
    """Look at everything Zoetrope needs.

    For each thing that is not well it says what to do.
    """
    from bot.cli.loops import run_until_stopped
    from bot.cli.output import say
    from bot.doctor import Chats, examine
    from db.config import chosen

    chats = Chats(discord=discord or channel is not None, telegram=telegram, channel=channel or "")
    return run_until_stopped(examine(chosen(file), data, dict(os.environ), say, chats))


@cli.group()
def config() -> None:
    """Check or show the configuration."""


@config.command()
@config_option
@data_option
def check(file: Path | None, data: Path | None) -> int:
    """Say whether the configuration can be used."""
    return _configure(file, data, "check")


@config.command()
@config_option
@data_option
def show(file: Path | None, data: Path | None) -> int:
    """Print the configuration that is in force, secrets masked."""
    return _configure(file, data, "show")


def _configure(file: Path | None, data: Path | None, action: Literal["check", "show"]) -> int:
    from bot.cli.output import say
    from bot.cli.show_config import config_lines
    from db.config import chosen, load, load_secrets

    file = chosen(file)
    config = load(file, os.environ, data)
    secrets = load_secrets(config, os.environ)
    lines = config_lines(config, secrets) if action == "show" else [f"{file or 'The default configuration'} is fine."]
    for line in lines:
        say(line)
    return DONE


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(guarded(cli, sys.argv[1:], debug="ZOETROPE_DEBUG" in os.environ))


if __name__ == "__main__":
    main()
