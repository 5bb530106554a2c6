"""The locked reader: SQL that a model wrote, checked, then run in a jailed child, read-only.

`guard` parses and refuses, `reader` starts the child and asks it, `child` locks itself, `sqlite`
and `duck` are its engines. Not here: writing SQL, or showing its rows as passages.
"""
