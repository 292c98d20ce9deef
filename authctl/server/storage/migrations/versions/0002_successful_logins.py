"""An index of the successful logins: who came from more than one address is read from it alone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The time is in it for the first and the last login of each address. SQLite takes an index without its own statistics
# only when a column of it is compared; `success` takes no space in it.
COLUMNS = ["success", "user_email", "ip_address", "created_at"]
WHERE = sa.text("event_type = 'login_complete' AND success = 1")


def upgrade() -> None:
    op.create_index("idx_audit_logins", "audit_logs", COLUMNS, sqlite_where=WHERE, postgresql_where=WHERE)
