"""APScheduler wakes services, nothing else."""
