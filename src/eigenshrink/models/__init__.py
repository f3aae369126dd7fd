"""What is being minimised: one small file per loss."""
