"""Tables of a collection: found as things, read by the solver, shared by retriever and tier."""
