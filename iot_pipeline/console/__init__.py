"""The web service for operators, analysts and tenants: what is live, whether the pipeline is well, SQL on demand."""
