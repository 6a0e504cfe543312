"""What several toolkits' readers need: renaming, weight algebra, options and sizes."""
