"""What a run amounts to, as frozen values computed from its fold and its journal."""
