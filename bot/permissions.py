"""Who may do what in a place. Pure: what the platform says about a person, and what the place's moderators have set."""

from __future__ import annotations

from db.records import Circumstances, PlaceSettings


def moderates(circumstances: Circumstances, settings: PlaceSettings) -> bool:
    """Whether somebody counts as a moderator: the platform says so, or a role that the place has named."""
    return circumstances.moderator or not set(circumstances.roles).isdisjoint(settings.moderators)
