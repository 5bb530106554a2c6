"""Databases that a collection's questions may be asked of, where they lie."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], ondelete="CASCADE",
            name=op.f("fk_attachments_collection_id"),
        ),
        sa.PrimaryKeyConstraint("collection_id", "name", name=op.f("pk_attachments")),
        sqlite_with_rowid=False,
    )  # fmt: skip
