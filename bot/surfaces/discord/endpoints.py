"""Where Discord is. discord.py keeps this in class attributes, so it is set once for the process."""

from __future__ import annotations

import yarl
from discord import asset, gateway, http

from db.config import DiscordConfig


def use(config: DiscordConfig) -> None:
    """Let every client of this process go to the configured addresses."""
    http.Route.BASE = config.api_base.rstrip("/")
    asset.Asset.BASE = config.cdn_base.rstrip("/")
    if config.gateway_url:
        gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url)
