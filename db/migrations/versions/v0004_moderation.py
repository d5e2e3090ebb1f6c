"""Moderation: cases, strikes, restrictions, reports, reviews, notices, and the moderators' sign-in.

Revision 0004 follows 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEVER_EDITED = "number, action, rule, policy, reason, about, amends, created_at"


def upgrade() -> None:
    op.add_column("clips", sa.Column("hidden_by", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE clips SET hidden_by = 'moderators' WHERE hidden AND NOT forgotten")
    op.add_column("clips", sa.Column("unlisted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("credit_entries", sa.Column("surface", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("credit_entries", sa.Column("place", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("deliveries", sa.Column("renewed", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index("ix_clips_unlisted_created_at", "clips", ["unlisted", "created_at"])
    op.create_index("ix_deliveries_surface_place_message", "deliveries", ["surface", "place", "message"])
    op.create_index("ix_refusals_surface_place_created_at", "refusals", ["surface", "place", "created_at"])
    _create_allowed_prompts()
    _create_cases()
    _create_case_numbers()
    _create_console_links()
    _create_console_sessions()
    _create_notices()
    _create_pending()
    _create_reports()
    _create_restrictions()
    _create_reviews()
    _create_strikes()
    _create_withheld()
    op.execute(
        f"CREATE TRIGGER cases_are_never_edited BEFORE UPDATE OF {_NEVER_EDITED} ON cases"
        " BEGIN SELECT RAISE(ABORT, 'a case is never edited; amend it'); END"
    )
    _ask_about_appeals()


def _ask_about_appeals() -> None:
    """Whoever has appealed was promised a moderator's look, where their place is now. An appeal is made once, so its
    refusal's id can be the review's."""
    op.execute(
        'UPDATE refusals SET place = (SELECT "to" FROM moved_places AS moved WHERE moved.surface = refusals.surface'
        " AND moved.place = refusals.place) WHERE EXISTS (SELECT 1 FROM moved_places AS moved"
        " WHERE moved.surface = refusals.surface AND moved.place = refusals.place)"
    )
    op.execute(
        "INSERT INTO reviews (id, surface, place, thread, kind, subject, target_surface, target_id, opened_at,"
        " decision, decided_by_surface, decided_by_id, card_thread, card_message)"
        " SELECT id, surface, place, thread, 'appeal', id, asker_surface, asker_id, appealed_at, '', '', '', '', ''"
        " FROM refusals WHERE appealed_at IS NOT NULL"
    )


def _create_allowed_prompts() -> None:
    op.create_table(
        "allowed_prompts",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "place", "prompt", name=op.f("pk_allowed_prompts")),
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("actor_surface", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("target_surface", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("amends", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "action IN ('strike', 'cool-down', 'mute', 'ban', 'unblock', 'hide', 'approve', 'remove', 'decline', "
            "'false alarm', 'grant', 'pause', 'resume', 'purge', 'policy', 'erase', 'amend')",
            name=op.f("ck_cases_known_action"),
        ),
        sa.PrimaryKeyConstraint("surface", "place", "number", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_created_at", "cases", ["created_at"])
    op.create_index("ix_cases_target_surface_target_id", "cases", ["target_surface", "target_id"])


def _create_case_numbers() -> None:
    op.create_table(
        "case_numbers",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "place", name=op.f("pk_case_numbers")),
    )


def _create_console_links() -> None:
    op.create_table(
        "console_links",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_console_links")),
    )


def _create_console_sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_console_sessions")),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_sent_at_due_at", "notices", ["sent_at", "due_at"])


def _create_pending() -> None:
    op.create_table(
        "pending",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending")),
    )


def _create_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("clip", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clip"], ["clips.id"], name=op.f("fk_reports_clip"), deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "clip",
            "surface",
            "place",
            "asker_surface",
            "asker_id",
            name=op.f("uq_reports_clip_surface_place_asker_surface_asker_id"),
        ),
    )
    op.create_index(
        "ix_reports_asker_surface_asker_id_created_at", "reports", ["asker_surface", "asker_id", "created_at"]
    )
    op.create_index("ix_reports_surface_place_created_at", "reports", ["surface", "place", "created_at"])


def _create_restrictions() -> None:
    op.create_table(
        "restrictions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("curb", sa.Text(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("lifted_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "curb IN ('cool-down', 'mute', 'ban')",
            name=op.f("ck_restrictions_known_curb"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restrictions")),
    )
    op.create_index("ix_restrictions_asker_surface_asker_id", "restrictions", ["asker_surface", "asker_id"])
    op.create_index("ix_restrictions_surface_place", "restrictions", ["surface", "place"])


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("target_surface", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by_surface", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("case", sa.Integer(), nullable=True),
        sa.Column("card_thread", sa.Text(), nullable=False),
        sa.Column("card_message", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint(
            "kind IN ('held', 'reported', 'appeal', 'labelled')",
            name=op.f("ck_reviews_known_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(
        "ix_reviews_drawn_surface_card_message_place", "reviews", ["drawn", "surface", "card_message", "place"]
    )
    op.create_index("ix_reviews_subject_kind", "reviews", ["subject", "kind"])
    op.create_index(
        "ix_reviews_surface_place_decision_opened_at", "reviews", ["surface", "place", "decision", "opened_at"]
    )
    op.create_index(
        "uq_reviews_open",
        "reviews",
        ["surface", "place", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("decision = ''"),
    )


def _create_strikes() -> None:
    op.create_table(
        "strikes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("asker_surface", sa.Text(), nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("lifted_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strikes")),
    )
    op.create_index("ix_strikes_asker_surface_asker_id", "strikes", ["asker_surface", "asker_id"])
    op.create_index("ix_strikes_surface_place_until", "strikes", ["surface", "place", "until"])


def _create_withheld() -> None:
    op.create_table(
        "withheld",
        sa.Column("clip", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clip"], ["clips.id"], name=op.f("fk_withheld_clip"), deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("clip", "surface", "place", name=op.f("pk_withheld")),
    )
