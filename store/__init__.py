"""The database that is the truth: documents, passages, tables, vectors, jobs, items, ledger.

One file per family of statements, SQLAlchemy Core, no ORM. Indexes are caches built from here.
"""
