"""What the small judges are worth: support, reading, reranking."""
