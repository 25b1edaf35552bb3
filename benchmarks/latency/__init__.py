"""One batch at a time, over a grid of batch × sequence."""
