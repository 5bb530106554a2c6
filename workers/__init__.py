"""The processes that docker-compose starts: queue, API, dispatcher. Built by the service."""
