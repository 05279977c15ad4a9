"""A plain HTTP/1.1 client that sends exactly what it is told, right or wrong."""

import contextlib
import socket

from answer import Answer, parse_head

TIMEOUT = 120  # seconds; a bound for a test that hangs, nothing that is measured


def chunks(body, size):
    """A body in chunked coding."""
    out = b""
    for start in range(0, len(body), size):
        part = body[start:start + size]
        out += b"%x\r\n%s\r\n" % (len(part), part)
    return out + b"0\r\n\r\n"


def request_bytes(method, target, headers=(), body=None, chunk_size=None, length=None):
    """A request.  headers: pairs.  body None: neither a body nor a length.  chunk_size: chunked, with no
    length.  length: what Content-Length says, whatever the body's length is."""
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    head += [f"{name}: {value}" for name, value in headers]
    payload = body or b""
    if chunk_size:
        head.append("Transfer-Encoding: chunked")
        payload = chunks(payload, chunk_size)
    elif length is not None or body is not None:
        head.append(f"Content-Length: {len(payload) if length is None else length}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + payload


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)


def exchange(port, data, method="GET", half_close=False):
    """Send bytes, read the answer."""
    with connect(port) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(data)  # who refuses a body may close before it has all of it
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return read_answer(sock, method)


def request(port, method, target, **how):
    half_close = how.pop("half_close", False)
    return exchange(port, request_bytes(method, target, **how), method, half_close)


def _read_all(sock):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(1 << 16):
            data += part
    return data


def read_answer(sock, method="GET"):
    """Read to the end of the connection (each request asks for that) and take the answer apart."""
    data = _read_all(sock)
    while True:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if not blank:
            return Answer(None, [], data, False)
        line, _, fields = head.partition(b"\r\n")
        status = int(line.split()[1])
        if status >= 200:
            break
        data = rest  # 100 Continue
    headers = parse_head(fields)
    named = dict(headers)
    if method == "HEAD" or status in (204, 304):
        return Answer(status, headers, rest, rest == b"")
    if "chunked" in named.get("transfer-encoding", ""):
        body, whole = _unchunk(rest)
        return Answer(status, headers, body, whole)
    whole = "content-length" not in named or len(rest) == int(named["content-length"])
    return Answer(status, headers, rest, whole)


def _unchunk(data):
    body = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return body, False
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return body, True
        if len(data) < size + 2:
            return body + data[:size], False
        body += data[:size]
        data = data[size + 2:]
