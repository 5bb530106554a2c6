"""Trains and ships the pilot: one cross-encoder with three heads. Not imported by the product."""
