"""Credentials have a name, and those that were removed stay as a record."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webauthn_credentials", sa.Column("name", sa.Text(), server_default="Passkey", nullable=False))
    op.add_column("webauthn_credentials", sa.Column("removed_at", UTCDateTime(), nullable=True))
