"""What is in the queue is counted many times a second."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index(op.f("ix_items_state_rung"), "items", ["state", "rung"], unique=False)
