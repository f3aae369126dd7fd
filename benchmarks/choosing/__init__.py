"""How well each way of choosing a strength does where the truth is known."""
