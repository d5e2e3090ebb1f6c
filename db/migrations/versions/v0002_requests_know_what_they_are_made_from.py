"""A request taken up after a crash still knows which clip it is made again from.

Revision 0002 follows 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("made_from", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    raise NotImplementedError("Zoetrope's schema only goes forward; restore a backup to go back.")
