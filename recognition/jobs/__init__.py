"""Work that a worker does for a row: its states, its messages, and the queues they wait in.

The next kind of work needs a model (:class:`~recognition.jobs.job.Job`), a function that does it
(:func:`~recognition.jobs.running.run`) and the name of a queue.
"""
