"""Alembic's environment: migrations run on the app's own engine, in one transaction."""

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def run() -> None:
    """Run the migrations online; offline scripts are not supported, both engines need their own SQL."""
    with database.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=database.metadata, render_as_batch=True,
                          compare_type=True, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()


run()
