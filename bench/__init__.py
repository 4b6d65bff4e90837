"""Measures the hot calls beside what PostgreSQL alone can do, in one run on one machine."""
