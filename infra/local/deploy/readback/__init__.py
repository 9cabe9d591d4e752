"""Reads back what a template asked for, through each service's own API: CloudFormation echoes what it was told."""
