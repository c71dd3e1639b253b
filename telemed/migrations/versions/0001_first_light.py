"""first light"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_endpoints",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("vendor", sa.String(length=128), nullable=False),
        sa.Column("model_name", sa.String(length=128), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("finding_codes", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("deadline_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_endpoints")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_review_endpoints_key_hash")),
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=256), nullable=False),
        sa.Column("issuer_of_patient_id", sa.String(length=256), nullable=False),
        sa.Column("patient_name", sa.String(length=512), nullable=False),
        sa.Column("patient_name_key", sa.String(length=512), nullable=False),
        sa.Column("patient_birth_date", sa.String(length=16), nullable=False),
        sa.Column("patient_sex", sa.String(length=16), nullable=False),
        sa.Column("patient_age", sa.String(length=16), nullable=False),
        sa.Column("study_date", sa.String(length=16), nullable=False),
        sa.Column("study_time", sa.String(length=32), nullable=False),
        sa.Column("timezone_offset", sa.String(length=16), nullable=False),
        sa.Column("accession_number", sa.String(length=64), nullable=False),
        sa.Column("study_id", sa.String(length=64), nullable=False),
        sa.Column("study_description", sa.String(length=512), nullable=False),
        sa.Column("referring_physician_name", sa.String(length=512), nullable=False),
        sa.Column("institution_name", sa.String(length=512), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("owner", "study_instance_uid", name=op.f("uq_studies_owner_study_instance_uid")),
    )
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.create_index("ix_studies_accession_number", ["accession_number"], unique=False)
        batch_op.create_index("ix_studies_owner_study_date", ["owner", "study_date"], unique=False)
        batch_op.create_index("ix_studies_patient_id", ["patient_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_patient_name_key"), ["patient_name_key"], unique=False)
        batch_op.create_index("ix_studies_study_instance_uid", ["study_instance_uid"], unique=False)
        batch_op.create_index("ix_studies_updated_at", ["updated_at"], unique=False)

    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_uploads_owner"), ["owner"], unique=False)

    op.create_table(
        "review_decisions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(length=32), nullable=False),
        sa.Column("manifest_hash", sa.String(length=80), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("study_revision", sa.Integer(), nullable=False),
        sa.Column("last_arrival_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_matched", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["studies.id"], name=op.f("fk_review_decisions_study_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_decisions")),
        sa.UniqueConstraint("study_key", "generation", name=op.f("uq_review_decisions_study_key_generation")),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=True),
        sa.Column("series_description", sa.String(length=512), nullable=False),
        sa.Column("series_date", sa.String(length=16), nullable=False),
        sa.Column("series_time", sa.String(length=32), nullable=False),
        sa.Column("body_part_examined", sa.String(length=64), nullable=False),
        sa.Column("manufacturer", sa.String(length=256), nullable=False),
        sa.Column("performed_procedure_step_start_date", sa.String(length=16), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_key"], ["studies.id"], name=op.f("fk_series_study_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("study_key", "series_instance_uid", name=op.f("uq_series_study_key_series_instance_uid")),
    )
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_modality"), ["modality"], unique=False)
        batch_op.create_index("ix_series_series_instance_uid", ["series_instance_uid"], unique=False)

    op.create_table(
        "instances",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("series_key", sa.String(length=26), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("instance_number", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("bits_allocated", sa.Integer(), nullable=True),
        sa.Column("number_of_frames", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("remarks", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_key"], ["series.id"], name=op.f("fk_instances_series_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["study_key"], ["studies.id"], name=op.f("fk_instances_study_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_instances_blob_key")),
        sa.UniqueConstraint("series_key", "sop_instance_uid", name=op.f("uq_instances_series_key_sop_instance_uid")),
    )
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.create_index("ix_instances_sop_instance_uid", ["sop_instance_uid"], unique=False)
        batch_op.create_index("ix_instances_study_key", ["study_key"], unique=False)

    op.create_table(
        "review_jobs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_uid", sa.String(length=64), nullable=False),
        sa.Column("decision_key", sa.String(length=26), nullable=False),
        sa.Column("endpoint_key", sa.String(length=26), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("summary_code", sa.String(length=32), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_key"], ["review_decisions.id"], name=op.f("fk_review_jobs_decision_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["endpoint_key"], ["review_endpoints.id"], name=op.f("fk_review_jobs_endpoint_key")),
        sa.ForeignKeyConstraint(
            ["study_key"], ["studies.id"], name=op.f("fk_review_jobs_study_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_jobs")),
        sa.UniqueConstraint(
            "endpoint_key", "study_key", "generation", name=op.f("uq_review_jobs_endpoint_key_study_key_generation")
        ),
        sa.UniqueConstraint("job_uid", name=op.f("uq_review_jobs_job_uid")),
    )
    with op.batch_alter_table("review_jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_review_jobs_one_open",
            ["endpoint_key", "study_key"],
            unique=True,
            sqlite_where=sa.text("state IN ('delivered', 'in_progress', 'scheduled')"),
            postgresql_where=sa.text("state IN ('delivered', 'in_progress', 'scheduled')"),
        )
        batch_op.create_index("ix_review_jobs_state_deadline_at", ["state", "deadline_at"], unique=False)
        batch_op.create_index("ix_review_jobs_study_key", ["study_key"], unique=False)

    op.create_table(
        "instance_conflicts",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("instance_key", sa.String(length=26), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["instances.id"], name=op.f("fk_instance_conflicts_instance_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance_conflicts")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_instance_conflicts_blob_key")),
    )
    with op.batch_alter_table("instance_conflicts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instance_conflicts_instance_key"), ["instance_key"], unique=False)

    op.create_table(
        "instance_headers",
        sa.Column("instance_key", sa.String(length=26), nullable=False),
        sa.Column("metadata_json", sa.LargeBinary(), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["instances.id"], name=op.f("fk_instance_headers_instance_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instance_key", name=op.f("pk_instance_headers")),
    )
    op.create_table(
        "review_deliveries",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("endpoint_key", sa.String(length=26), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_key"], ["review_endpoints.id"], name=op.f("fk_review_deliveries_endpoint_key")
        ),
        sa.ForeignKeyConstraint(
            ["job_key"], ["review_jobs.id"], name=op.f("fk_review_deliveries_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_deliveries")),
    )
    with op.batch_alter_table("review_deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_deliveries_job_key"), ["job_key"], unique=False)
        batch_op.create_index("ix_review_deliveries_state_next_at", ["state", "next_at"], unique=False)

    op.create_table(
        "review_findings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("study_key", sa.String(length=26), nullable=False),
        sa.Column("vendor_finding_id", sa.String(length=64), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=256), nullable=False),
        sa.Column("label_code", sa.String(length=128), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("measurements", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_key"], ["review_jobs.id"], name=op.f("fk_review_findings_job_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study_key"], ["studies.id"], name=op.f("fk_review_findings_study_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_findings")),
        sa.UniqueConstraint("job_key", "vendor_finding_id", name=op.f("uq_review_findings_job_key_vendor_finding_id")),
    )
    with op.batch_alter_table("review_findings", schema=None) as batch_op:
        batch_op.create_index("ix_review_findings_study_key", ["study_key"], unique=False)

    op.create_table(
        "review_results",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_key"], ["review_jobs.id"], name=op.f("fk_review_results_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_results")),
        sa.UniqueConstraint("job_key", "idempotency_key", name=op.f("uq_review_results_job_key_idempotency_key")),
        sa.UniqueConstraint("job_key", "sequence", name=op.f("uq_review_results_job_key_sequence")),
    )
    op.create_table(
        "review_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_key"], ["review_jobs.id"], name=op.f("fk_review_tokens_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_review_tokens")),
    )
    with op.batch_alter_table("review_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_tokens_job_key"), ["job_key"], unique=False)

    op.create_table(
        "review_assessments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding_key", sa.String(length=26), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_key", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.String(length=256), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_key"], ["review_findings.id"], name=op.f("fk_review_assessments_finding_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_assessments")),
    )
    with op.batch_alter_table("review_assessments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_assessments_finding_key"), ["finding_key"], unique=False)

    op.create_table(
        "audit_records",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=96), nullable=False),
        sa.Column("actor_name", sa.String(length=128), nullable=False),
        sa.Column("hospital", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("study_id", sa.String(length=26), nullable=True),
        sa.Column("consultation_id", sa.String(length=26), nullable=True),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_records")),
    )
    with op.batch_alter_table("audit_records", schema=None) as batch_op:
        batch_op.create_index("ix_audit_records_action", ["action", "id"], unique=False)
        batch_op.create_index("ix_audit_records_actor_id", ["actor_id", "id"], unique=False)
        batch_op.create_index("ix_audit_records_study_id", ["study_id", "id"], unique=False)

    op.create_table(
        "hospitals",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("city", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_hospitals")),
    )
    op.create_table(
        "room_events",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("room", sa.String(length=26), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_events")),
        sa.UniqueConstraint("room", "seq", name=op.f("uq_room_events_room_seq")),
    )
    op.create_table(
        "setup_tokens",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_setup_tokens")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_attempts_address", ["address", "at"], unique=False)
        batch_op.create_index("ix_sign_in_attempts_at", ["at"], unique=False)
        batch_op.create_index("ix_sign_in_attempts_username", ["username", "at"], unique=False)

    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("hospital_code", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("secret_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hospital_code"], ["hospitals.code"], name=op.f("fk_api_keys_hospital_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index("ix_api_keys_hospital_code", ["hospital_code"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("specialty", sa.String(length=64), nullable=False),
        sa.Column("hospital_code", sa.String(length=32), nullable=True),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hospital_code"], ["hospitals.code"], name=op.f("fk_users_hospital_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("ix_users_hospital_code", ["hospital_code"], unique=False)

    op.create_table(
        "consultations",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("room", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("requesting_hospital", sa.String(length=32), nullable=False),
        sa.Column("requesting_doctor", sa.String(length=26), nullable=False),
        sa.Column("invited_hospital", sa.String(length=32), nullable=False),
        sa.Column("expert", sa.String(length=26), nullable=True),
        sa.Column("requested_specialty", sa.String(length=64), nullable=False),
        sa.Column("requested_title", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("study_id", sa.String(length=26), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("decline_reason", sa.Text(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("handling", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_consultations_closed_by")),
        sa.ForeignKeyConstraint(["expert"], ["users.id"], name=op.f("fk_consultations_expert")),
        sa.ForeignKeyConstraint(
            ["invited_hospital"], ["hospitals.code"], name=op.f("fk_consultations_invited_hospital")
        ),
        sa.ForeignKeyConstraint(["requesting_doctor"], ["users.id"], name=op.f("fk_consultations_requesting_doctor")),
        sa.ForeignKeyConstraint(
            ["requesting_hospital"], ["hospitals.code"], name=op.f("fk_consultations_requesting_hospital")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultations")),
        sa.UniqueConstraint("room", name=op.f("uq_consultations_room")),
    )
    with op.batch_alter_table("consultations", schema=None) as batch_op:
        batch_op.create_index("ix_consultations_expert", ["expert", "state"], unique=False)
        batch_op.create_index("ix_consultations_invited_hospital", ["invited_hospital", "id"], unique=False)
        batch_op.create_index("ix_consultations_requesting_hospital", ["requesting_hospital", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consultations_study_id"), ["study_id"], unique=False)

    op.create_table(
        "login_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
    )
    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_login_sessions_ends_at", ["ends_at"], unique=False)
        batch_op.create_index("ix_login_sessions_user_id", ["user_id"], unique=False)

    op.create_table(
        "opinions",
        sa.Column("consultation_id", sa.String(length=26), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.String(length=26), nullable=True),
        sa.Column("signed_content", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_opinions_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["signed_by"], ["users.id"], name=op.f("fk_opinions_signed_by")),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_opinions")),
    )


def downgrade() -> None:
    op.drop_table("opinions")
    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_login_sessions_user_id")
        batch_op.drop_index("ix_login_sessions_ends_at")

    op.drop_table("login_sessions")
    with op.batch_alter_table("consultations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consultations_study_id"))
        batch_op.drop_index("ix_consultations_requesting_hospital")
        batch_op.drop_index("ix_consultations_invited_hospital")
        batch_op.drop_index("ix_consultations_expert")

    op.drop_table("consultations")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index("ix_users_hospital_code")

    op.drop_table("users")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_api_keys_hospital_code")

    op.drop_table("api_keys")
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_attempts_username")
        batch_op.drop_index("ix_sign_in_attempts_at")
        batch_op.drop_index("ix_sign_in_attempts_address")

    op.drop_table("sign_in_attempts")
    op.drop_table("setup_tokens")
    op.drop_table("room_events")
    op.drop_table("hospitals")
    with op.batch_alter_table("audit_records", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_records_study_id")
        batch_op.drop_index("ix_audit_records_actor_id")
        batch_op.drop_index("ix_audit_records_action")

    op.drop_table("audit_records")
    with op.batch_alter_table("review_assessments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_assessments_finding_key"))

    op.drop_table("review_assessments")
    with op.batch_alter_table("review_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_tokens_job_key"))

    op.drop_table("review_tokens")
    op.drop_table("review_results")
    with op.batch_alter_table("review_findings", schema=None) as batch_op:
        batch_op.drop_index("ix_review_findings_study_key")

    op.drop_table("review_findings")
    with op.batch_alter_table("review_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_review_deliveries_state_next_at")
        batch_op.drop_index(batch_op.f("ix_review_deliveries_job_key"))

    op.drop_table("review_deliveries")
    op.drop_table("instance_headers")
    with op.batch_alter_table("instance_conflicts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_instance_conflicts_instance_key"))

    op.drop_table("instance_conflicts")
    with op.batch_alter_table("review_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_review_jobs_study_key")
        batch_op.drop_index("ix_review_jobs_state_deadline_at")
        batch_op.drop_index(
            "ix_review_jobs_one_open",
            sqlite_where=sa.text("state IN ('delivered', 'in_progress', 'scheduled')"),
            postgresql_where=sa.text("state IN ('delivered', 'in_progress', 'scheduled')"),
        )

    op.drop_table("review_jobs")
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.drop_index("ix_instances_study_key")
        batch_op.drop_index("ix_instances_sop_instance_uid")

    op.drop_table("instances")
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index("ix_series_series_instance_uid")
        batch_op.drop_index(batch_op.f("ix_series_modality"))

    op.drop_table("series")
    op.drop_table("review_decisions")
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_uploads_owner"))

    op.drop_table("uploads")
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.drop_index("ix_studies_updated_at")
        batch_op.drop_index("ix_studies_study_instance_uid")
        batch_op.drop_index(batch_op.f("ix_studies_patient_name_key"))
        batch_op.drop_index("ix_studies_patient_id")
        batch_op.drop_index("ix_studies_owner_study_date")
        batch_op.drop_index("ix_studies_accession_number")

    op.drop_table("studies")
    op.drop_table("review_endpoints")
