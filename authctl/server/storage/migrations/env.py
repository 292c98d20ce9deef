"""Runs the migrations on the connection that `schema.migrate` opened."""

from alembic import context

from authctl.server.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=False,  # the caller's transaction is around all of it
    compare_type=True,
)
context.run_migrations()
