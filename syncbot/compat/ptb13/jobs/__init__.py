"""`telegram.ext.jobqueue` of python-telegram-bot 13, without APScheduler: jobs in memory, on threads."""

from syncbot.compat.ptb13.jobs.jobqueue import Job, JobQueue

__all__ = ["Job", "JobQueue"]
