"""Opening the lake, the registry and the warehouse of this process's environment, without Dagster.

A module a store, so that whoever opens one imports the libraries of that one alone. Importing them touches no network.
"""
