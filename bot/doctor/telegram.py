"""What Telegram says about the token, the bot's settings there, and where it sends updates."""

from __future__ import annotations

from bot.port import SurfaceError
from db.config import Config, Secrets
from db.records import Finding


async def look_at_telegram(config: Config, secrets: Secrets) -> list[Finding]:
    """What Telegram says about the token, the bot's settings there, and where it sends updates."""
    if secrets.telegram_token is None:
        way_out = "ask @BotFather for one and put it into ZOETROPE_TELEGRAM_TOKEN or the token_file under [telegram]"
        return [Finding("Telegram token", False, f"there is none: {way_out}.")]
    from bot.surfaces.telegram.wire import Rejected, Wire

    wire = Wire(config.telegram, secrets.telegram_token.get_secret_value())
    try:
        await wire.open()
        facts = await wire.facts()
    except Rejected:
        return [Finding("Telegram token", False, "Telegram does not take it: ask @BotFather for the right one.")]
    except SurfaceError as error:
        return [Finding("Telegram", False, f"{config.telegram.base_url} does not answer ({error}): try again.")]
    finally:
        await wire.close()
    return [
        Finding("Telegram token", True, f"it is that of @{facts.username}."),
        _telegram_groups(facts.joins_groups, facts.reads_groups),
        _telegram_inline(facts.inline, facts.username),
        _telegram_updates(config.telegram.webhook_url, facts.webhook, facts.waiting, facts.trouble),
    ]


def _telegram_groups(joins: bool, reads: bool) -> Finding:
    if not joins:
        return Finding(
            "Telegram groups", False, "the bot can't be added to any: allow it with @BotFather's /setjoingroups."
        )
    if reads:
        return Finding(
            "Telegram groups", True, "privacy mode is off: it is sent all that is written there, and needs it not."
        )
    return Finding(
        "Telegram groups", True, "privacy mode is on: it is sent commands and answers to itself, as it should be."
    )


def _telegram_inline(inline: bool, name: str) -> Finding:
    if inline:
        return Finding("Telegram inline", True, f"@{name} and some words find clips in any chat.")
    return Finding("Telegram inline", False, "it is off: switch it on with @BotFather's /setinline.")


def _telegram_updates(wanted: str, webhook: str, waiting: int, trouble: str) -> Finding:
    """Whether updates go where the configuration says."""
    if webhook and not wanted:
        return Finding(
            "Telegram updates",
            False,
            "they are sent to a webhook and never arrive here: remove it, or set webhook_url.",
        )
    if webhook != wanted:
        return Finding("Telegram updates", True, "the webhook is set when Zoetrope starts.")
    if trouble:
        return Finding("Telegram updates", False, f"{waiting} wait, for the webhook does not take them: {trouble}.")
    return Finding("Telegram updates", True, f"{waiting} wait to be handled.")
