"""How well a model follows instructions: the paper's evaluations, and scores of given answers."""
