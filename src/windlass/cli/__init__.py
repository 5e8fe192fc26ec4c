"""The command line: docker's verbs, thin and fast."""
