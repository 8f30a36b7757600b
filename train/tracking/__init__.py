"""MLflow tracking: runs, the registry, the pyfunc."""
