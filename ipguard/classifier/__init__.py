"""From features to calibrated risks, with arrays only."""
