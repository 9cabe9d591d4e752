"""Rewritings that only make some statements faster: all that `Config.shortcuts` switches, and nothing else.

All are left out with the switch off, and every result is the same. `python -m infra.local.bench.shortcuts` measures
what each gains; one that gains less than a tenth of the judging statement's work is to be deleted.
"""
