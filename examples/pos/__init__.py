"""A point of sale that talks to the shop over HTTP; standard library only."""
