"""One file, scored in all the ways a person would today, each in a process of its own."""
