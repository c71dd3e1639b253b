"""words that studies are found by"""

import sqlalchemy as sa
from alembic import op

from imaging.store import words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXTS = ("patient_name", "patient_id", "accession_number", "study_description")


def upgrade() -> None:
    op.create_table(
        "study_words",
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column(
            "word", sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["studies.id"], name=op.f("fk_study_words_study_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_key", "word", name=op.f("pk_study_words")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("study_words", schema=None) as batch_op:
        batch_op.create_index("ix_study_words_owner_word", ["owner", "word", "study_key"], unique=False)

    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_studies_accession_number"))
        batch_op.drop_index(batch_op.f("ix_studies_owner_study_date"))
        batch_op.drop_index(batch_op.f("ix_studies_patient_id"))
        batch_op.drop_index(batch_op.f("ix_studies_patient_name_key"))
        batch_op.create_index("ix_studies_owner_accession_number", ["owner", "accession_number"], unique=False)
        batch_op.create_index(
            "ix_studies_owner_newest", ["owner", "study_date", "study_time", "study_instance_uid", "id"], unique=False
        )
        batch_op.create_index("ix_studies_owner_patient_id", ["owner", "patient_id"], unique=False)
    _fill()


def _fill() -> None:
    """The words of studies stored before."""
    studies = sa.table("studies", *map(sa.column, ("id", "owner", *TEXTS)))
    target = sa.table("study_words", *map(sa.column, ("study_key", "word", "owner")))
    connection = op.get_bind()
    after = ""
    while (
        rows := connection.execute(sa.select(studies).where(studies.c.id > after).order_by(studies.c.id).limit(1000))
        .mappings()
        .all()
    ):
        after = rows[-1]["id"]
        if found := [word for row in rows for word in words.rows_of(dict(row))]:
            connection.execute(sa.insert(target), found)


def downgrade() -> None:
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.drop_index("ix_studies_owner_patient_id")
        batch_op.drop_index("ix_studies_owner_newest")
        batch_op.drop_index("ix_studies_owner_accession_number")
        batch_op.create_index(batch_op.f("ix_studies_patient_name_key"), ["patient_name_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_owner_study_date"), ["owner", "study_date"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_accession_number"), ["accession_number"], unique=False)

    with op.batch_alter_table("study_words", schema=None) as batch_op:
        batch_op.drop_index("ix_study_words_owner_word")

    op.drop_table("study_words")
