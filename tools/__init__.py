"""Programs around the checkout: its environment, and a machine to test in."""
