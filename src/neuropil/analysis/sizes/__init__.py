"""Compatible sizes of input, filter, stride, padding and output."""
