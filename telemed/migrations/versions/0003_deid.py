"""What an AI endpoint may see beyond the basic de-identification profile."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("review_endpoints") as batch:
        batch.add_column(sa.Column("deid", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("review_endpoints") as batch:
        batch.drop_column("deid")
