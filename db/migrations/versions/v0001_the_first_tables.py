"""The first tables.

Revision 0001 follows nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("runner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "(state = 'rendering') = (runner IS NOT NULL) AND (state = 'rendering') = (lease_until IS NOT NULL)",
            name=op.f("ck_jobs_leased_while_rendering"),
        ),
        sa.CheckConstraint(
            "state IN ('held', 'queued', 'rendering', 'done', 'failed', 'cancelled', 'refused')",
            name=op.f("ck_jobs_known_state"),
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_jobs_attempt_counts")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_jobs_cost_counts")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
    )
    op.create_index(op.f("ix_jobs_asker_surface_asker_id_state"), "jobs", ["asker_surface", "asker_id", "state"])
    op.create_index(op.f("ix_jobs_changed_at"), "jobs", ["changed_at"])
    op.create_index(op.f("ix_jobs_state_created_at_number"), "jobs", ["state", "created_at", "number"])

    op.create_table(
        "models",
        sa.Column("runner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("announced_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("runner", "name", name=op.f("pk_models")),
    )
    op.create_table(
        "room_messages",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("rendition", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_room_messages")),
        sa.UniqueConstraint("id", name=op.f("uq_room_messages_id")),
        sa.UniqueConstraint("room", "nonce", name=op.f("uq_room_messages_room_nonce")),
        sa.UniqueConstraint("version", name=op.f("uq_room_messages_version")),
    )
    op.create_index(op.f("ix_room_messages_room_number"), "room_messages", ["room", "number"])
    op.create_index(op.f("ix_room_messages_room_version"), "room_messages", ["room", "version"])

    op.create_table(
        "runners",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_runners")),
    )
    op.create_table(
        "clips",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("NOT forgotten OR (hidden AND master = '')", name=op.f("ck_clips_forgotten_has_no_file")),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_clips_job"), initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
        sa.UniqueConstraint("job", name=op.f("uq_clips_job")),
    )
    op.create_index(op.f("ix_clips_hidden_created_at"), "clips", ["hidden", "created_at"])
    op.create_index(op.f("ix_clips_model_created_at"), "clips", ["model", "created_at"])

    op.create_table(
        "requests",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('received', 'taken', 'closed')", name=op.f("ck_requests_known_state")),
        sa.ForeignKeyConstraint(
            ["job"], ["jobs.id"], name=op.f("fk_requests_job"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("origin", "id", name=op.f("pk_requests")),
    )
    op.create_index(
        op.f("ix_requests_asker_surface_asker_id_created_at"), "requests", ["asker_surface", "asker_id", "created_at"]
    )
    op.create_index(op.f("ix_requests_state_created_at"), "requests", ["state", "created_at"])

    op.create_table(
        "reservations",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('reserved', 'settled', 'released')", name=op.f("ck_reservations_known_state")),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_reservations_credits_count")),
        sa.ForeignKeyConstraint(
            ["job"], ["jobs.id"], name=op.f("fk_reservations_job"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_reservations")),
    )
    op.create_index(
        op.f("ix_reservations_asker_surface_asker_id_created_at"),
        "reservations",
        ["asker_surface", "asker_id", "created_at"],
    )

    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("clip", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("card_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('promised', 'sent', 'given up')", name=op.f("ck_deliveries_known_state")),
        sa.ForeignKeyConstraint(
            ["clip"], ["clips.id"], name=op.f("fk_deliveries_clip"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["job"], ["jobs.id"], name=op.f("fk_deliveries_job"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "clip",
            "surface",
            "place",
            "thread",
            "message",
            name=op.f("uq_deliveries_clip_surface_place_thread_message"),
        ),
    )
    op.create_index(op.f("ix_deliveries_job"), "deliveries", ["job"])
    op.create_index(op.f("ix_deliveries_state_due_at"), "deliveries", ["state", "due_at"])


def downgrade() -> None:
    raise NotImplementedError("Zoetrope's schema only goes forward; restore a backup to go back.")
