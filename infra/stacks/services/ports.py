"""The ports on which the services listen inside the network."""

WEBSERVER_PORT = 3000
# The image's workspace.yaml has it too.
CODE_PORT = 4000
CONSOLE_PORT = 8080
