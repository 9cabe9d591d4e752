"""The device registry: who owns which device, where it stands and stood, and how it is let into AWS IoT Core."""
