"""How a question is taken apart: its form, spans pointed at, sub-questions filled in."""
