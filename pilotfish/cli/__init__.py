"""The command line. Light until a command runs: the engine is imported inside commands."""
