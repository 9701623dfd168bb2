"""Lambda's Invoke API, and the queue of asynchronous invocations."""
