"""Networks: those that are always there, those that users make, and the containers on them."""
