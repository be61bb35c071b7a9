"""What a run would take: requests, tokens, dollars and minutes, before anything is sent."""
