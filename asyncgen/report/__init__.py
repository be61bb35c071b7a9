"""A run made visible: values, figures made of them, and one self-contained page."""
