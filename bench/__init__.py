"""What Merit costs: `make bench`."""
