"""Tasks of ECS on this machine, without Docker: their roles, their credentials, and the API that starts them."""
