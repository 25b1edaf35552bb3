"""The bundle's consumers, each run as its own program, against bertline's own answers."""
