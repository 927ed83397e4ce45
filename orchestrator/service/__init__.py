"""Runs over HTTP, and at their schedules. Stateless: any number of replicas may stand side by side on one database."""
