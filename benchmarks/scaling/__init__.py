"""What more machines are worth: what one core and one part cost, and a small model of a cluster."""
