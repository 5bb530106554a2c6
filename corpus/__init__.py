"""Documents in; passages, tables and triples out. Not here: search, models, the database."""
