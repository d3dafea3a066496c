"""Analysis of any PyTorch module, from the operations of a run on the meta device."""
