"""Networks of Gaussian windows over the data: regression and classification."""
