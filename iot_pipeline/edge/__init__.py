"""The edge: what AWS Lambda does with each message as it arrives. Live state of every device, rules, alerts."""
