"""Who takes the events of a feed: a collector by UDP, TCP or TLS, or a program behind a pipe."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from authctl.errors import ServerUnreachable, UsageError
from authctl.server.audit.export import collectors
from authctl.server.audit.export.cef import Cef
from authctl.server.audit.export.collectors import Collector
from authctl.server.audit.export.csv import Csv
from authctl.server.audit.export.stopping import Stop, Stopped
from authctl.server.audit.export.syslog import message
from authctl.server.audit.export.takers import DescriptorTaker, SyslogTaker, TakerLeft
from tests.server.audit.export.listeners import Listener, tls_context
from tests.server.audit.export.records import a_record, hostile_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = hostile_records()
MESSAGES = [message(record, Cef().lines([record]).rstrip(b"\r\n")) for record in RECORDS]


def wait_for(count: int, received: list[bytes]) -> None:
    until = time.monotonic() + 10
    while len(received) < count and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("syslog://siem.example", "syslog://siem.example:514"),
        ("syslog+udp://siem.example:5514", "syslog+udp://siem.example:5514"),
        ("syslog+tcp://[2001:db8::1]", "syslog+tcp://[2001:db8::1]:514"),
        ("syslog+tls://siem.example/", "syslog+tls://siem.example:6514"),
    ],
)
def test_an_address_has_a_port_by_its_kind(url: str, said: str) -> None:
    assert str(Collector.of(url)) == said


@pytest.mark.parametrize(
    "url",
    [
        "siem.example",
        "http://siem.example",
        "syslog://",
        "syslog://h:99999",
        "syslog://h/p",
        "syslog://u:pw@h",
        "syslog://[x",
    ],
)
def test_another_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Collector.of(url)
    assert "pw" not in caught.value.detail
    assert caught.value.hint


def test_a_collector_gets_one_datagram_per_event() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        taker = SyslogTaker(Collector("syslog", "127.0.0.1", listening.getsockname()[1]), Cef(), pytest.fail)
        taker.begin()
        taker.take(RECORDS[:5], Stop())
        assert [listening.recv(65536) for _ in range(5)] == MESSAGES[:5]
        taker.take([a_record(details="x" * 20000)], Stop())
        assert listening.recv(65536).endswith(b"x [cut]")
        taker.close()


def test_a_collector_gets_counted_messages_over_tcp() -> None:
    with Listener() as listener:
        taker = SyslogTaker(Collector("syslog+tcp", "127.0.0.1", listener.port), Cef(), pytest.fail)
        taker.begin()
        taker.take(RECORDS, Stop())
        taker.take(RECORDS[:1], Stop())
        taker.close()
        wait_for(len(RECORDS) + 1, listener.received)
        assert listener.received == [*MESSAGES, MESSAGES[0]]
        assert listener.connections == 1


def test_a_collector_gets_counted_messages_over_tls(tmp_path: Path) -> None:
    context, ca = tls_context(tmp_path)
    with Listener(context) as listener:
        taker = SyslogTaker(Collector("syslog+tls", "127.0.0.1", listener.port), Cef(), pytest.fail, ca=ca)
        taker.begin()
        taker.take(RECORDS, Stop())
        taker.take(RECORDS, Stop())
        taker.close()
        wait_for(2 * len(RECORDS), listener.received)
        assert listener.received == MESSAGES * 2


def test_a_collector_whom_nobody_vouches_for_is_not_fed(tmp_path: Path) -> None:
    context, _ = tls_context(tmp_path)
    with Listener(context) as listener:
        taker = SyslogTaker(Collector("syslog+tls", "127.0.0.1", listener.port), Cef(), pytest.fail)
        with pytest.raises(ServerUnreachable, match="self-signed") as caught:
            taker.begin()
        assert "--ca" in (caught.value.hint or "")
        assert listener.received == []


def test_a_collector_that_is_not_there_at_first_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        ServerUnreachable, match=f"syslog\\+tcp://127.0.0.1:{port} cannot be reached: Connection refused"
    ):
        SyslogTaker(Collector("syslog+tcp", "127.0.0.1", port), Cef(), pytest.fail).begin()


def test_what_was_not_acknowledged_goes_again_when_the_collector_hangs_up() -> None:
    said: list[str] = []
    with Listener(hang_up_after=3) as listener:
        taker = SyslogTaker(Collector("syslog+tcp", "127.0.0.1", listener.port), Cef(), said.append)
        taker.begin()
        stop = Stop()
        taker.take(RECORDS[:3], stop)
        wait_for(3, listener.received)
        time.sleep(0.05)
        taker.take(RECORDS, stop)
        taker.close()
        wait_for(3 + len(RECORDS), listener.received)
        assert set(listener.received) == set(MESSAGES)
        assert listener.connections == 2
    assert "does not take events" in said[0]
    assert said[-1].endswith("takes events again")


def test_a_collector_that_comes_back_gets_everything() -> None:
    said: list[str] = []
    with Listener() as listener:
        taker = SyslogTaker(Collector("syslog+tcp", "127.0.0.1", listener.port), Cef(), said.append)
        taker.begin()
        taker.take(RECORDS[:1], Stop())
        wait_for(1, listener.received)
    feeding = threading.Thread(target=taker.take, args=(RECORDS, Stop()))
    feeding.start()
    time.sleep(0.3)
    with Listener(port=listener.port) as again:
        feeding.join(20)
        wait_for(len(RECORDS), again.received)
        assert again.received == MESSAGES
    taker.close()
    assert len(said) == 2


def test_a_feed_stops_while_its_collector_is_away() -> None:
    with Listener() as listener:
        taker = SyslogTaker(Collector("syslog+tcp", "127.0.0.1", listener.port), Cef(), lambda text: None)
        taker.begin()
    stop = Stop()
    threading.Timer(0.2, stop.ask).start()
    with pytest.raises(Stopped):
        taker.take(RECORDS, stop)
    taker.close()


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a collector that takes connections and reads nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    yield listening.getsockname()[1]
    listening.close()


def test_what_does_not_fit_into_the_queues_is_not_taken(deaf: int) -> None:
    connection = Collector("syslog+tcp", "127.0.0.1", deaf).connect()
    stop = Stop()
    threading.Timer(0.3, stop.ask).start()
    with pytest.raises(Stopped):
        connection.deliver([b"x" * 20_000_000], stop)
    connection.close()


def test_a_collector_that_takes_nothing_for_long_counts_as_lost(deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors, "_SILENCE_SECONDS", 0.2)
    connection = Collector("syslog+tcp", "127.0.0.1", deaf).connect()
    with pytest.raises(TimeoutError):
        connection.deliver([b"x" * 20_000_000], Stop())
    connection.close()


class Reader(threading.Thread):
    """Reads a pipe to its end, after a while."""

    def __init__(self, descriptor: int, delay: float = 0.0) -> None:
        super().__init__()
        self.descriptor, self.delay, self.data = descriptor, delay, b""
        self.start()

    def run(self) -> None:
        time.sleep(self.delay)
        while piece := os.read(self.descriptor, 65536):
            self.data += piece
        os.close(self.descriptor)


def test_a_pipe_has_taken_events_when_its_reader_has_read_them() -> None:
    reading, writing = os.pipe()
    reader = Reader(reading, delay=0.2)
    taker = DescriptorTaker(writing, Csv())
    taker.begin()
    began = time.monotonic()
    taker.take(RECORDS, Stop())
    assert time.monotonic() - began > 0.15
    taker.take(RECORDS * 20, Stop())
    taker.close()
    os.close(writing)
    reader.join()
    assert reader.data == Csv().head() + Csv().lines(RECORDS) + Csv().lines(RECORDS * 20)


@pytest.mark.parametrize("size", [1, 50])
def test_a_feed_stops_although_nobody_reads(size: int) -> None:
    reading, writing = os.pipe()
    taker = DescriptorTaker(writing, Csv())
    taker.begin()
    stop = Stop()
    threading.Timer(0.2, stop.ask).start()
    with pytest.raises(Stopped):
        taker.take(RECORDS * size, stop)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("size", [1, 50])
def test_a_reader_that_has_gone_is_noticed(size: int) -> None:
    reading, writing = os.pipe()
    taker = DescriptorTaker(writing, Csv())
    taker.begin()
    threading.Timer(0.2, os.close, (reading,)).start()
    with pytest.raises(TakerLeft):
        taker.take(RECORDS * size, Stop())
    with pytest.raises(TakerLeft):
        taker.take(RECORDS, Stop())
    os.close(writing)


def test_a_closed_socket_is_noticed_as_a_reader_that_has_gone() -> None:
    near, far = socket.socketpair()
    far.close()
    taker = DescriptorTaker(near.fileno(), Csv())
    with pytest.raises(TakerLeft):
        taker.take(RECORDS, Stop())
    near.close()


def test_a_file_has_taken_events_when_they_are_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    with path.open("wb") as file:
        taker = DescriptorTaker(file.fileno(), Csv())
        taker.begin()
        taker.take(RECORDS[:2], Stop())
        taker.take(RECORDS[2:4], Stop())
    assert path.read_bytes() == Csv().head() + Csv().lines(RECORDS[:4])
