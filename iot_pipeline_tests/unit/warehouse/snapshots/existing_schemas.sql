-- The names of the schemas there are.
SELECT nspname FROM pg_namespace
