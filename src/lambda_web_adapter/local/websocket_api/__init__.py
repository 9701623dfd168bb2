"""API Gateway's WebSocket API: it keeps the clients' connections, and sends the function an event for each message.

The connections live in the process of the local run, so that environments can be frozen, ended and replaced meanwhile.
"""
