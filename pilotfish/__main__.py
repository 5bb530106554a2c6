"""`python -m pilotfish`: the command line."""

from pilotfish.cli.main import main

main()
