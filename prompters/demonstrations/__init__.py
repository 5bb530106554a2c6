"""Demonstrations for prompts: a pool of solved inputs, and how some of them are picked."""
