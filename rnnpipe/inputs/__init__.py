"""Records → batches of tensors."""
