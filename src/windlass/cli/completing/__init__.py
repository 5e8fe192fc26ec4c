"""Completion of command lines in shells: the words so far in, candidates out, names asked of the engine itself."""
