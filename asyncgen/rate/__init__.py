"""People rate responses, and a model may: the paper's human evaluation."""
