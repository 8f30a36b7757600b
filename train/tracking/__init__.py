"""MLflow: runs, the registry, the pyfunc."""
