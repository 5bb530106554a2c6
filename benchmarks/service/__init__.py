"""Measurements of the service; see __main__.py."""
