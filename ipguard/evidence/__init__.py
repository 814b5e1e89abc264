"""From names and similarities to one row of features a candidate."""
