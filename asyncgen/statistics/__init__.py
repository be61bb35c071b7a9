"""What a measured number is worth: intervals and tests, in numpy alone."""
