"""A demo chain: menu, stores, staff, an opening, half a year of ordinary days."""
