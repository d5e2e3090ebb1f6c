"""Chats: circumstances and languages, drafts, settings, linked identities, credits without a job, stored updates.

Revision 0003 follows 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("language", sa.Text(), nullable=False, server_default=sa.text("'en'")))
    op.add_column("clips", sa.Column("surface", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("clips", sa.Column("place", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute(
        "UPDATE clips SET surface = (SELECT surface FROM jobs WHERE jobs.id = clips.job),"
        " place = (SELECT place FROM jobs WHERE jobs.id = clips.job)"
    )
    op.create_index("ix_clips_surface_place_created_at", "clips", ["surface", "place", "created_at"])
    op.create_index("ix_clips_asker_surface_asker_id_created_at", "clips", ["asker_surface", "asker_id", "created_at"])
    with op.batch_alter_table("requests", recreate="always") as requests:
        requests.drop_constraint(op.f("ck_requests_known_state"), type_="check")
        requests.create_check_constraint(
            op.f("ck_requests_known_state"), "state IN ('draft', 'received', 'taken', 'closed')"
        )
        requests.add_column(sa.Column("circumstances", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
        requests.add_column(sa.Column("shows", sa.Text(), nullable=False, server_default=sa.text("''")))
    _create_tables()
    op.execute("CREATE VIRTUAL TABLE clip_words USING fts5(clip UNINDEXED, prompt, tokenize = 'unicode61')")
    op.execute(
        "INSERT INTO clip_words (clip, prompt) SELECT id, json_extract(spec, '$.prompt') FROM clips WHERE NOT forgotten"
    )


def _create_tables() -> None:
    op.create_table(
        "card_routes",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "nonce", name=op.f("pk_card_routes")),
    )
    op.create_table(
        "credit_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entries")),
    )
    op.create_table(
        "link_codes",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_link_codes")),
    )
    op.create_table(
        "link_tries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_tries")),
    )
    op.create_table(
        "moved_places",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "place", name=op.f("pk_moved_places")),
    )
    op.create_table(
        "people",
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("asker_surface", "asker_id", name=op.f("pk_people")),
    )
    op.create_table(
        "places",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "place", name=op.f("pk_places")),
    )
    op.create_table(
        "refusals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("appealed_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
        sa.UniqueConstraint("surface", "request", name=op.f("uq_refusals_surface_request")),
    )
    op.create_table(
        "updates",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("handled_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("surface", "number", name=op.f("pk_updates")),
    )
    op.create_table(
        "platform_files",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("clip", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clip"], ["clips.id"], name=op.f("fk_platform_files_clip"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("surface", "clip", "format", name=op.f("pk_platform_files")),
    )
    for table, columns in _INDICES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


_INDICES = (
    ("card_routes", ("surface", "message")),
    ("credit_entries", ("asker_surface", "asker_id", "created_at")),
    ("link_tries", ("asker_surface", "asker_id", "tried_at")),
    ("people", ("person",)),
    ("refusals", ("asker_surface", "asker_id", "created_at")),
    ("updates", ("surface", "handled_at")),
)


def downgrade() -> None:
    raise NotImplementedError("Zoetrope's schema only goes forward; restore a backup to go back.")
