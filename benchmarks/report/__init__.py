"""Results as a page to send around, and as tables for a README."""
