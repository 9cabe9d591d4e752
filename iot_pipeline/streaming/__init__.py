"""The streaming job: what the stream carries, judged within minutes, until the batch result replaces it."""
