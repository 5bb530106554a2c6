"""KnowledGPT's functions over graphs, and plans of an LLM that call them (arXiv 2308.11761)."""
