"""What is said of a trained network: facts of its layers, its decay in words, parts of summary and page."""
