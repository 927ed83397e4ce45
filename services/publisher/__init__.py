"""publisher: the forecast as versioned rows, Parquet and canonical CSV."""
