"""Networks: bridges, endpoints, address management, published ports."""
