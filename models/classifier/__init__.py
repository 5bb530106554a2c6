"""Small classifiers: trained in seconds with the `fit` modules, served with numpy alone."""
