"""The history of the schema, one revision a file. `alembic` is pointed here by `db.schema`."""
