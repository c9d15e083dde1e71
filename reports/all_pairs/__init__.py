"""All against all: every image of a gallery compared with every other, and what a threshold does to them."""
