"""The connection between adapter and app when both are in the test's process."""

from __future__ import annotations

import asyncio
import socket

from lambda_web_adapter.testing.socket_pair import HOST, SocketPairBackend


async def connect_in_no_time() -> int:
    accepted: list[socket.socket] = []

    async def accept(connection: socket.socket, _: int) -> None:
        await asyncio.sleep(0)
        accepted.append(connection)

    client = SocketPairBackend().accepting(accept).new_client(HOST, 0)
    await client.connect(0.0)
    client.close()
    await asyncio.sleep(0)  # the event loop closes the adapter's end
    for connection in accepted:
        connection.close()
    return len(accepted)


def test_a_slow_machine_leaves_no_connection_behind() -> None:
    """The adapter's limit for one attempt would end it between the two sockets."""
    assert asyncio.run(connect_in_no_time()) == 1
