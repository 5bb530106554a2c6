"""Puts helpers in order around the LLM. Fills `case.answer`."""
