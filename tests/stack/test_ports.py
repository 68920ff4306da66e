from __future__ import annotations

import socket
from unittest import TestCase

from mailsales.stack import ports


class PortsTestCase(TestCase):
    def setUp(self) -> None:
        self.other = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.other.close)
        self.taken = self.other.getsockname()[1]

    def test_the_next_free_port_follows_one_that_is_taken(self) -> None:
        self.assertGreater(ports.choose("PORT", self.taken, given=""), self.taken)

    def test_a_port_of_a_sibling_is_left_out(self) -> None:
        self.other.close()
        self.assertNotEqual(ports.choose("PORT", self.taken, given="", taken=frozenset({self.taken})), self.taken)

    def test_a_free_port_that_is_named_is_used(self) -> None:
        self.other.close()
        self.assertEqual(ports.choose("PORT", 8000, given=str(self.taken)), self.taken)

    def test_a_taken_port_that_is_named_is_refused_by_the_setting_s_name(self) -> None:
        with self.assertRaisesRegex(ports.PortTaken, "Set PORT to another"):
            ports.choose("PORT", 8000, given=str(self.taken))
