"""What is written about a study: the summary, plain numbers for JSON, and one self-contained page."""
