"""A FastCGI client (the web server's side) that can misbehave in every way."""

import contextlib
import socket
import struct

from answer import Answer, parse_cgi

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)
TIMEOUT = 120  # seconds; a bound for a test that hangs, nothing that is measured


def record(kind, content=b"", request_id=1, version=1, padding=0, length=None):
    """One record; padding: how much, or the bytes; length: what the header says, whatever the content's length is."""
    size = len(content) if length is None else length
    padding = padding if isinstance(padding, bytes) else b"\0" * padding
    return struct.pack(">BBHHBB", version, kind, request_id, size, len(padding), 0) + content + padding


def begin(role=RESPONDER, flags=0, request_id=1):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, flags), request_id)


def length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)


def pair(name, value):
    name, value = name.encode(), value.encode() if isinstance(value, str) else value
    return length(len(name)) + length(len(value)) + name + value


def stream(kind, data, request_id=1, size=65535, end=True):
    """A stream in records of at most `size` bytes, with the empty one that ends it."""
    out = b"".join(record(kind, data[i:i + size], request_id) for i in range(0, len(data), size))
    return out + (record(kind, b"", request_id) if end else b"")


def parameters(method="POST", path="/v1/cover/profile", query="", body=b"", **more):
    """The parameters of a request, as nginx would name them."""
    params = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": method,
              "SCRIPT_NAME": path, "QUERY_STRING": query, "REQUEST_URI": path + (query and "?" + query),
              "REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "40000", "HTTP_USER_AGENT": "test/1.0",
              "CONTENT_LENGTH": str(len(body)) if body else ""}
    params.update(more)
    return {name: value for name, value in params.items() if value is not None}


def request_bytes(params, body=b"", request_id=1, flags=0, record_size=65535):
    encoded = b"".join(pair(name, value) for name, value in params.items())
    return begin(flags=flags, request_id=request_id) + \
        stream(PARAMS, encoded, request_id, record_size) + stream(STDIN, body, request_id, record_size)


class Connection:
    """address: ("127.0.0.1", port) or the path of a unix socket."""

    def __init__(self, address, timeout=TIMEOUT):
        family = socket.AF_UNIX if isinstance(address, str) else \
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """False where the other side has closed."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)
            return True
        return False

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.sock.recv(size - len(data))
            except ConnectionResetError:
                return None
            if not part:
                return None
            data += part
        return data

    def read_record(self):
        """(type, request id, content), or None at the end of the connection."""
        header = self._exactly(8)
        if header is None:
            return None
        _, kind, request_id, size, padding, _ = struct.unpack(">BBHHBB", header)
        content = self._exactly(size + padding)
        return None if content is None else (kind, request_id, content[:size])

    def read_answer(self, begun=None):
        """The answer to the request; its `whole` says that END_REQUEST came.  `protocol_status` is that of
        END_REQUEST.  begun: its first record, if that was read already."""
        out, err, end = b"", b"", None
        while end is None:
            got, begun = begun or self.read_record(), None
            if got is None:
                break
            kind, _, content = got
            if kind == STDOUT:
                out += content
            elif kind == STDERR:
                err += content
            elif kind == END_REQUEST:
                end = struct.unpack(">IB3x", content)
        answer = parse_cgi(out, end is not None, err) if out else Answer(None, [], b"", end is not None, err)
        answer.app_status, answer.protocol_status = end or (None, None)
        return answer

    def closed_by_peer(self):
        """Wait until the other side closes; what it sends before that is dropped."""
        try:
            while self.sock.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        except socket.timeout:
            return False
        return True


def request(address, method="POST", path="/v1/cover/profile", query="", body=b"", flags=0,
            record_size=65535, **params):
    """One proper request on a connection of its own."""
    with Connection(address) as connection:
        connection.send(request_bytes(parameters(method, path, query, body, **params), body, flags=flags,
                                      record_size=record_size))
        return connection.read_answer()
