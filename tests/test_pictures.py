from __future__ import annotations

import struct
from contextlib import suppress
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from mailsales.pictures import NoPicture, Picture, look
from tests.make import make_png

GIF = b"GIF89a" + struct.pack("<HH", 320, 80) + b"\x80\0\0" + b"\0" * 6 + b";"
FRAME = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 80, 320) + b"\3" + b"\0" * 9
JPEG = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9 + b"\xff" + FRAME + b"\xff\xd9"


def webp(kind: bytes, data: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


LOSSY = webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 320 | 0x4000, 80))
LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", 319 | 79 << 14))
EXTENDED = webp(b"VP8X", b"\x10\0\0\0" + (319).to_bytes(3, "little") + (79).to_bytes(3, "little"))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


class PicturesTestCase(TestCase):
    def test_each_kind_says_its_size(self) -> None:
        samples = {"image/png": [make_png(320, 80)], "image/gif": [GIF], "image/jpeg": [JPEG]}
        samples["image/webp"] = [LOSSY, LOSSLESS, EXTENDED]
        for kind, pictures in samples.items():
            for data in pictures:
                self.assertEqual(look(data), Picture(kind, 320, 80))

    def test_what_is_no_picture_is_none(self) -> None:
        for data in (b"", SVG, b"<html>", b"%PDF-1.7", b"BM" + b"\0" * 60, b"RIFF\0\0\0\0WAVEfmt ", make_png(0, 5)):
            self.assertRaises(NoPicture, look, data)

    def test_a_page_behind_a_picture_is_none(self) -> None:
        self.assertRaises(NoPicture, look, make_png(9, 9) + b"<script>alert(1)</script>")

    def test_a_picture_that_is_cut_off_is_none(self) -> None:
        for data in (make_png(320, 80)[:20], GIF[:8], JPEG[:24], LOSSY[:27], EXTENDED[:15]):
            self.assertRaises(NoPicture, look, data)

    @given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF"]), st.binary(max_size=60))
    def test_garbage_is_a_picture_or_none_and_no_fault(self, start: bytes, rest: bytes) -> None:
        with suppress(NoPicture):
            self.assertGreater(look(start + rest).width, 0)
