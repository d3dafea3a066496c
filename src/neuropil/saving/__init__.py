"""Networks as text and as files: ``network.json`` and ``weights.safetensors``."""
