"""What is known of a collection's manuals: their pages, words, and which of them a request needs.

Not here: the step (retrievers/manual.py).
"""
