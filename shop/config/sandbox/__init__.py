"""Stand-ins for the platforms we call: they check what they are sent as strictly as those do.

A server of its own over real HTTP, so that tests, demo and production run the same client code. It
forgets everything when it stops.
"""
