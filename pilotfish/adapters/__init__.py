"""Pilotfish inside other frameworks, each behind an extra. Nothing here is imported by ours."""
