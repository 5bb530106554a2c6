"""What is measured, against whom, and how to rerun it: `python -m benchmarks --help`."""
