"""What a fitted helper was measured at, for people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("tuned", sa.Column("measured", sa.JSON(), nullable=True))
