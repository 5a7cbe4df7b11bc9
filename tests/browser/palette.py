"""Smaller pictures of pages: few colours are enough, and reduce a PNG to a third of its size."""

import base64
import struct
import zlib

from playwright.sync_api import Page

# The browser reads the picture and selects colours: the most frequent ones that differ from those before, so
# that a small mark in its own colour keeps it. Other pixels get the nearest colour.
_REDUCE = """
async ([png, most]) => {
  const image = await createImageBitmap(new Blob([Uint8Array.fromBase64(png)]));
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const one of pixels) counts.set(one, (counts.get(one) || 0) + 1);
  const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const parts = colour => [colour & 255, colour >> 8 & 255, colour >> 16 & 255];
  const palette = [], places = new Map();
  const nearest = ([r, g, b]) => {
    let best = 0, least = Infinity;
    palette.forEach(([x, y, z], place) => {
      const far = (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
      if (far < least) [best, least] = [place, far];
    });
    return [best, least];
  };
  for (const colour of colours)
    if (palette.length < most && nearest(parts(colour))[1] > 30) palette.push(parts(colour));
  for (const colour of colours) places.set(colour, nearest(parts(colour))[0]);
  const indexes = Uint8Array.from(pixels, one => places.get(one));
  return [image.width, image.height, new Uint8Array(palette.flat()).toBase64(), indexes.toBase64()];
}
"""


def reduce_colours(png: bytes, painter: Page, colours: int = 64) -> bytes:
    """The same picture with at most this many colours. `painter` is any page of a browser."""
    width, height, palette, indexes = painter.evaluate(_REDUCE, [base64.b64encode(png).decode(), colours])
    places = base64.b64decode(indexes)
    rows = b"".join(b"\0" + places[start : start + width] for start in range(0, width * height, width))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", base64.b64decode(palette))
        + _chunk(b"IDAT", zlib.compress(rows, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
