"""Questions over graphs: edges in memory, entities, relation paths, answers with their edges."""
