"""Worker processes that fetch batches, and the memory in which they hand them over."""
