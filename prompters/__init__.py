"""Shaping the one prompt. Prompters change only `case.hints` and `case.prompt`."""
