"""What a model would be after another training: predicted from one fit, and trained."""
