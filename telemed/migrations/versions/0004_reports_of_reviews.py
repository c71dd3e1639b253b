"""Reports of reviews in the archive, and who assessed for which hospital."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DUE = sa.text("report_due")


def upgrade() -> None:
    op.create_table(
        "review_documents",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("last_assessment", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_key"], ["review_jobs.id"], name=op.f("fk_review_documents_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_documents")),
        sa.UniqueConstraint("job_key", "version", name=op.f("uq_review_documents_job_key_version")),
    )
    with op.batch_alter_table("review_assessments") as batch:
        batch.add_column(sa.Column("by_organization", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("review_jobs") as batch:
        batch.add_column(sa.Column("report_due", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.create_index("ix_review_jobs_report_due", ["id"], sqlite_where=DUE, postgresql_where=DUE)


def downgrade() -> None:
    with op.batch_alter_table("review_jobs") as batch:
        batch.drop_index("ix_review_jobs_report_due")
        batch.drop_column("report_due")
    with op.batch_alter_table("review_assessments") as batch:
        batch.drop_column("by_organization")
    op.drop_table("review_documents")
