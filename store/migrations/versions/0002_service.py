"""The service: budgets, keys, rates, leases, files, webhooks; who a job belongs to."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("limit_usd", sa.Float(), nullable=True),
        sa.Column("limit_tokens", sa.Integer(), nullable=True),
        sa.Column("spent_usd", sa.Float(), nullable=False),
        sa.Column("spent_tokens", sa.Integer(), nullable=False),
        sa.Column("held_usd", sa.Float(), nullable=False),
        sa.Column("held_tokens", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_budgets")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index(op.f("ix_files_tenant_created"), "files", ["tenant", "created"], unique=False)
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("admin", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=True),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "rates",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("minute", sa.Float(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_rates")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        op.f("ix_deliveries_state_not_before"), "deliveries", ["state", "not_before"], unique=False
    )
    op.add_column("collections", sa.Column("uid", sa.Text(), server_default="", nullable=False))
    op.add_column("items", sa.Column("rung", sa.Float(), nullable=True))
    op.create_index(
        op.f("ix_items_state_lease_until"), "items", ["state", "lease_until"], unique=False
    )
    op.add_column("jobs", sa.Column("kind", sa.Text(), server_default="answer", nullable=False))
    op.add_column("jobs", sa.Column("tenant", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("key_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("idempotency_key", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("body_sha256", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("webhook", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("notes", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("finished", sa.Float(), nullable=True))
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"], unique=False)
    op.create_index(op.f("ix_jobs_tenant_created"), "jobs", ["tenant", "created"], unique=False)
    op.create_index(
        op.f("ix_jobs_tenant_idempotency_key"), "jobs", ["tenant", "idempotency_key"], unique=True
    )
    op.add_column("ledger", sa.Column("tenant", sa.Text(), server_default="", nullable=False))
    op.add_column("ledger", sa.Column("job_id", sa.Text(), nullable=True))
    op.add_column("ledger", sa.Column("key_id", sa.Text(), nullable=True))
    op.add_column("ledger", sa.Column("reserved_tokens", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_ledger_job_id"), "ledger", ["job_id"], unique=False)
    op.create_index(op.f("ix_ledger_key_id_created"), "ledger", ["key_id", "created"], unique=False)
    op.add_column("sources", sa.Column("path", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_sources_collection_id_path"), "sources", ["collection_id", "path"], unique=False
    )
    _name_collections()


def _name_collections() -> None:
    """Give each collection that was there before its own uid."""
    table = sa.table("collections", sa.column("id", sa.Integer), sa.column("uid", sa.Text))
    connection = op.get_bind()
    for number in list(connection.scalars(sa.select(table.c.id))):
        named = sa.update(table).where(table.c.id == number).values(uid=secrets.token_hex(8))
        connection.execute(named)
