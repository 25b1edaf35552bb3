"""Files that grow: time per row, and memory."""
