"""Answers to questions over one table by ranked programs, without a language model.

A floating parser trained from answers alone (Pasupat and Liang, arXiv 1508.00305). Import from the
modules: solver.py is the door. Not here: finding the table (the retrievers do), reading files.
"""
