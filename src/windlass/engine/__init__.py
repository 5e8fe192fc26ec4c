"""Use-cases, one class per noun."""
