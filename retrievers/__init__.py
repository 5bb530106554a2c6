"""Finding passages: lexical, dense, fused. Retrievers change only `case.passages`."""
