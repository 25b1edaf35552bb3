"""What a way of running a model is worth: time, side by side, on the same batches."""
