"""Rewritings that only make some statements faster: all that `Config.shortcuts` switches, and nothing else.

They are left out with the switch off, and every result is the same. `python -m infra.local.bench.shortcuts` measures
what they gain; what gains less than a tenth of the judging statement's work is to be deleted.
"""
