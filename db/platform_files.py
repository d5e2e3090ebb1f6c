"""A platform's own id of a file it holds already: showing it again costs no upload."""

from __future__ import annotations

from sqlalchemy import and_, select
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import platform_files


async def file(tx: AsyncConnection, surface: str, clip: str, format: str) -> str:  # noqa: A002
    """The platform's id of this clip in this format; empty: it holds none."""
    wanted = and_(platform_files.c.surface == surface, platform_files.c.clip == clip, platform_files.c.format == format)
    return (await tx.execute(select(platform_files.c.file).where(wanted))).scalar_one_or_none() or ""


async def keep(tx: AsyncConnection, surface: str, clip: str, format: str, file: str) -> None:  # noqa: A002
    """The platform holds this clip under `file` now."""
    row = insert(platform_files).values(surface=surface, clip=clip, format=format, file=file)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "clip", "format"], set_={"file": file}))
