"""What is known of a program before anything runs: kinds, activity, freshness, what a path leaves undefined."""
