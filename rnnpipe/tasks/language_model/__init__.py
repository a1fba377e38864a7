"""Language models: a text in, what comes next out."""
