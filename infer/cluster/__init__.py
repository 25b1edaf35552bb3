"""Scoring on many machines: inputs are cut into parts, and Ray Data hands the parts to workers."""
