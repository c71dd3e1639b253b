"""What becomes of instances: change feed, holdings, instances kept apart. What is stored is the feed's beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "number", name=op.f("pk_changes")),
    )
    op.create_table(
        "holdings",
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("instance_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_change", sa.BigInteger(), nullable=False),
        sa.Column("soft_bytes", sa.BigInteger(), nullable=True),
        sa.Column("hard_bytes", sa.BigInteger(), nullable=True),
        sa.Column("soft_instances", sa.BigInteger(), nullable=True),
        sa.Column("hard_instances", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_holdings")),
    )
    op.create_table(
        "instances_apart",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=26), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances_apart")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_instances_apart_blob_key")),
    )
    with op.batch_alter_table("instances_apart", schema=None) as batch_op:
        batch_op.create_index("ix_instances_apart_owner_state", ["owner", "state"], unique=False)
        batch_op.create_index("ix_instances_apart_sop_instance_uid", ["sop_instance_uid"], unique=False)
        batch_op.create_index("ix_instances_apart_state_erase_at", ["state", "erase_at"], unique=False)
        batch_op.create_index("ix_instances_apart_study_instance_uid", ["study_instance_uid"], unique=False)

    for statement in _CARRIED_OVER:
        op.execute(statement)
    op.drop_table("instance_conflicts")


_APART = """
INSERT INTO instances_apart (id, owner, study_key, study_instance_uid, series_instance_uid, sop_instance_uid,
    sop_class_uid, why, state, differences, reason, act, blob_key, size_bytes, sha256, received_at)
SELECT c.id, st.owner, st.id, st.study_instance_uid, se.series_instance_uid, i.sop_instance_uid,
    i.sop_class_uid, 'other_bytes', 'open', '[]', '', '', c.blob_key, c.size_bytes, c.sha256, c.received_at
FROM instance_conflicts c JOIN instances i ON i.id = c.instance_key JOIN series se ON se.id = i.series_key
    JOIN studies st ON st.id = i.study_key
"""
_HAPPENED = """
INSERT INTO changes (owner, number, kind, study_key, study_instance_uid, series_instance_uid, sop_instance_uid,
    sha256, reason, at)
SELECT owner, row_number() OVER (PARTITION BY owner ORDER BY at, id), kind, study_key, study_instance_uid,
    series_instance_uid, sop_instance_uid, sha256, '', at
FROM (
    SELECT st.owner AS owner, i.id AS id, 'stored' AS kind, st.id AS study_key,
        st.study_instance_uid AS study_instance_uid, se.series_instance_uid AS series_instance_uid,
        i.sop_instance_uid AS sop_instance_uid, i.sha256 AS sha256, i.received_at AS at
    FROM instances i JOIN series se ON se.id = i.series_key JOIN studies st ON st.id = i.study_key
    UNION ALL
    SELECT owner, id, 'conflict', study_key, study_instance_uid, series_instance_uid, sop_instance_uid, sha256,
        received_at
    FROM instances_apart
) happened
"""
_HELD = """
INSERT INTO holdings (owner, instance_count, size_bytes, last_change)
SELECT owner, count(*), sum(size_bytes), count(*)
FROM (
    SELECT st.owner AS owner, i.size_bytes AS size_bytes FROM instances i JOIN studies st ON st.id = i.study_key
    UNION ALL
    SELECT owner, size_bytes FROM instances_apart
) held
GROUP BY owner
"""
_CARRIED_OVER = (_APART, _HAPPENED, _HELD)


def downgrade() -> None:
    op.create_table(
        "instance_conflicts",
        sa.Column("id", sa.VARCHAR(length=26), nullable=False),
        sa.Column("instance_key", sa.VARCHAR(length=26), nullable=False),
        sa.Column("blob_key", sa.VARCHAR(length=64), nullable=False),
        sa.Column("size_bytes", sa.BIGINT(), nullable=False),
        sa.Column("sha256", sa.VARCHAR(length=64), nullable=False),
        sa.Column("received_at", sa.DATETIME(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["instances.id"], name=op.f("fk_instance_conflicts_instance_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance_conflicts")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_instance_conflicts_blob_key")),
    )
    with op.batch_alter_table("instance_conflicts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instance_conflicts_instance_key"), ["instance_key"], unique=False)

    with op.batch_alter_table("instances_apart", schema=None) as batch_op:
        batch_op.drop_index("ix_instances_apart_study_instance_uid")
        batch_op.drop_index("ix_instances_apart_state_erase_at")
        batch_op.drop_index("ix_instances_apart_sop_instance_uid")
        batch_op.drop_index("ix_instances_apart_owner_state")

    op.drop_table("instances_apart")
    op.drop_table("holdings")
    op.drop_table("changes")
