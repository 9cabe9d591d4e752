-- Wait for the other writers; held until the transaction ends. As the first statement it comes before the transaction's snapshot is taken, which LOCK does not do (Redshift database developer guide, "Serializable isolation").
LOCK TABLE lake.write_lock
