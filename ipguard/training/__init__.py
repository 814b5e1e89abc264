"""Making what scoring needs: the static encoder, the classifier head, the bundle and its card."""
