"""The pilot: one small cross-encoder that ranks, reads and judges. See MODEL_CARD.md."""
