"""How a question is taken apart: forms, spans that are pointed at, sub-questions that are filled."""
