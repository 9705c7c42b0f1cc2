"""gunicorn's configuration for gunicorn_app.py. The hooks start the bot after the fork and stop it before the worker's end."""

workers = 4
threads = 2
graceful_timeout = 15


def post_worker_init(worker: object) -> None:
    """A worker process begins: take part in the bot."""
    from gunicorn_app import app

    app.start()


def worker_exit(server: object, worker: object) -> None:
    """A worker process ends in an orderly way: let running handlers finish, and let another worker go on at once."""
    from gunicorn_app import app

    app.stop()
