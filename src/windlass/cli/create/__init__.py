"""From the flags of `run` and `create` to the body of ContainerCreate; parsers of single values load when used."""
