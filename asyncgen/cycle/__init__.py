"""The whole paper: a model's own data, the model finetuned on them, and whether that helped."""
