"""Graphs, what was fitted to a collection, and passages that are found beyond what they quote."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("passages", sa.Column("reach", sa.Integer(), nullable=True))
    op.create_table(
        "triples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        _parent("collection_id", "collections.id", "triples"),
        _parent("document_id", "documents.id", "triples"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triples")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_triples_collection_id"), "triples", ["collection_id"])
    op.create_index(op.f("ix_triples_document_id"), "triples", ["document_id"])
    op.create_table(
        "tuned",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        _parent("collection_id", "collections.id", "tuned"),
        sa.PrimaryKeyConstraint("collection_id", "name", name=op.f("pk_tuned")),
        sqlite_with_rowid=False,
    )


def _parent(column: str, target: str, table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")
