"""Scripts that run in a peer's own environment. They import nothing of neurula."""
