"""rooms on several nodes"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "room_leases",
        sa.Column("room", sa.String(length=26), nullable=False),
        sa.Column("node", sa.String(length=320), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("room", name=op.f("pk_room_leases")),
    )
    op.create_table(
        "spent_tickets",
        sa.Column("number", sa.String(length=26), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_spent_tickets")),
    )
    op.create_index(op.f("ix_spent_tickets_expires_at"), "spent_tickets", ["expires_at"])


def downgrade() -> None:
    op.drop_table("spent_tickets")
    op.drop_table("room_leases")
