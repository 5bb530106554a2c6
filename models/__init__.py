"""The small-model runtime: weights are found, exported once, and served with ONNX Runtime.

Not here: search, ranking, or anything that knows of documents. Nothing heavy is imported
before an `Encoder` is constructed, and torch only in the exporting child process.
"""
