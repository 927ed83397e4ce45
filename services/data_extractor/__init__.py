"""data-extractor: one batch of the order history out of the database."""
