"""Measuring answers against right ones: `pilotfish eval`. Answers nothing and changes no case."""
