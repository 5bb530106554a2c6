"""What the structured sources measure: graphs, tables, databases, manuals."""
