-- Wait for the other sessions that lock this table; held until the transaction ends. As the first statement it comes before the transaction's snapshot is taken, which LOCK does not do (Redshift database developer guide, "Serializable isolation").
LOCK TABLE lake.build_lock
