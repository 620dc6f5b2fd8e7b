"""Remove customers from every file of a production, with their history."""
