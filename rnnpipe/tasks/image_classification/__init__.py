"""Image classification with recurrent visual attention."""
