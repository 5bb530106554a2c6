"""The service's processes: the only folder that knows Celery, Redis and the HTTP server.

`queue` and `inline` are the two doorbells (one seam, an in-memory twin); `dispatch` rings for
what the database says is unfinished; `tasks` are what the bell starts; `answering` and
`indexing` work on one item; `pulse` keeps leases; `api` speaks HTTP; `up` starts all of them.
No pipeline logic lives here.
"""
