"""The names that tenants, sites and devices can have, which topics, keys and the registry are made of."""

import re

# A level of the devices' topics, and what the registry takes (its domain `id`).
NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
# A device is a thing of AWS IoT, which has no dot in its name (AWS IoT API reference, CreateThing).
DEVICE_NAME = re.compile(r"[A-Za-z0-9_:-]{1,128}")
