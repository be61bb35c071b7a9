"""Pictures of measured values: SVG, PNG and the numbers themselves."""
