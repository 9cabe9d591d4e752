-- A column that is new in the contract. Redshift adds one column a statement ("ALTER TABLE", ADD COLUMN).
ALTER TABLE registry.site_versions ADD COLUMN moisture double precision
