"""Alembic's entry: runs the migrations on the database that `store.database` names.

All of them in one transaction: killed at any point, the database is as it was before.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event

from store.schema import metadata

engine = create_engine(str(context.config.get_main_option("sqlalchemy.url")))


if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # else Python's driver commits after each CREATE TABLE

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
