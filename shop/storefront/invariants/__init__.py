"""What must hold in the database whatever happened: crashes, races, retries, restores.

Each check is one statement that returns the rows which break it, from one snapshot. The numbers are
those of the runbook. I14 (hash chain) and I15 (what clients were told) have no counterpart yet.
"""
