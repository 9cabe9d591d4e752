"""Who signs in, and how a session or an API key is known again."""
