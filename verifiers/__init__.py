"""Checking what was said. Verifiers change only `case.answer`."""
