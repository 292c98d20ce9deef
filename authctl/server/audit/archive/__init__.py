"""The long-term store: old events in Parquet files by month, with a signed manifest that keeps the chain provable."""
