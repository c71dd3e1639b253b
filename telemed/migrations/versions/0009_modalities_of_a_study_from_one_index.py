"""modalities of a study from one index"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_series_modality"))
        batch_op.create_index("ix_series_study_key", ["study_key", "modality"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index("ix_series_study_key")
        batch_op.create_index(batch_op.f("ix_series_modality"), ["modality"], unique=False)
