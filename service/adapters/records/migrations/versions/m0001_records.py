"""Records, their versions and their search values."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "record",
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("method", sa.String(6), nullable=False),
    )
    op.create_index("record_by_time", "record", ["type", "updated", "id"])
    op.create_table(
        "version",
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("method", sa.String(6), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("version_by_time", "version", ["type", "updated"])
    op.create_table(
        "search_value",
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("parameter", sa.String(64), nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("low", sa.BigInteger, nullable=False),
        sa.Column("high", sa.BigInteger, nullable=False),
    )
    op.create_index("search_value_of_record", "search_value", ["type", "id", "parameter"])
    op.create_index("search_value_by_value", "search_value", ["type", "parameter", "value"])
    op.create_index("search_value_by_time", "search_value", ["type", "parameter", "low"])
