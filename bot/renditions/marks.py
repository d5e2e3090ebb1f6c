"""What every file says about itself: that it is AI-generated, and by which model.

Two places each, because readers differ: a plain comment (GIF comment extension, MP4 comment tag, EXIF description in a
WebP, which has no comments) and an XMP packet with IPTC's digital source type. No prompt and no name: they are private.

Sources: GIF89a specification, sections 24 and 26; Adobe XMP specification part 3 (GIF: 1.1.2, ISO base media: 1.3.1);
RIFF container of WebP; IPTC Video Metadata Hub 1.7 and its vocabulary of digital source types.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from bot import cards

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
# A decoder that takes the packet for sub-blocks lands somewhere in this run, whose every byte leads to the final zero.
_GIF_XMP_TRAILER = bytes([1, *range(255, -1, -1), 0])

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <xmp:CreatorTool>{tool}</xmp:CreatorTool>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{comment}</rdf:li></rdf:Alt></dc:description>
   <Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
   <Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def comment(model: str) -> str:
    """The sentence in every file's comment."""
    return cards.mark(_plain(model))


def xmp(model: str) -> bytes:
    """An XMP packet, UTF-8, without a zero byte."""
    name = escape(_plain(model))
    filled = _PACKET.format(tool=f"Zoetrope ({name})", comment=escape(comment(model)), source=SOURCE_TYPE, model=name)
    return filled.encode()


def _plain(model: str) -> str:
    """A model's name as one line of printable characters: XML takes no control characters, not even escaped."""
    return "".join(character for character in model if character.isprintable())


def mark(path: Path, format: str, model: str) -> None:  # noqa: A002
    """Write comment and XMP into the file in place. An MP4's comment tag is ffmpeg's work, at encoding."""
    {"gif": _mark_gif, "webp": _mark_webp, "mp4": _mark_mp4}[format](path, model)


def _mark_gif(path: Path, model: str) -> None:
    """Splice both extensions in behind the global palette and the loop extension, which some readers want first."""
    spliced = path.with_name(path.name + ".marked")
    try:
        with path.open("rb") as source, spliced.open("wb") as target:
            target.write(_gif_head(source))
            target.write(_gif_comment(comment(model).encode()))
            target.write(b"\x21\xff\x0bXMP DataXMP" + xmp(model) + _GIF_XMP_TRAILER)
            shutil.copyfileobj(source, target)
        spliced.replace(path)
    finally:
        spliced.unlink(missing_ok=True)  # of a disk that is full


def _gif_head(source: BinaryIO) -> bytes:
    head = source.read(13)
    flags = head[10]
    if flags & 0x80:
        head += source.read(3 << ((flags & 7) + 1))
    loop = source.read(19)
    if loop.startswith(b"\x21\xff\x0bNETSCAPE2.0"):
        return head + loop
    source.seek(len(head))
    return head


def _gif_comment(text: bytes) -> bytes:
    blocks = [text[start : start + 255] for start in range(0, len(text), 255)]
    return b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _mark_mp4(path: Path, model: str) -> None:
    """Append a uuid box: behind everything else it moves no chunk offset."""
    packet = xmp(model)
    with path.open("ab") as target:
        target.write(struct.pack(">I4s16s", 24 + len(packet), b"uuid", XMP_BOX) + packet)


def _mark_webp(path: Path, model: str) -> None:
    """Append EXIF and XMP chunks, set their flags in VP8X and the new length in the RIFF header."""
    with path.open("r+b") as file:
        flags = _webp_flags(file)
        file.seek(0, 2)
        file.write(_chunk(b"EXIF", _exif(comment(model))) + _chunk(b"XMP ", xmp(model)))
        size = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", size - 8))
        file.seek(20)
        file.write(bytes([flags | 0x08 | 0x04]))


def _webp_flags(file: BinaryIO) -> int:
    """The flags in VP8X. A clip whose frames are all alike is encoded as a still without that chunk: it gets one."""
    head = file.read(30)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        raise ValueError("not a WebP file")
    if head[12:16] == b"VP8X":
        return head[20]
    width, height, flags = _still_webp(head[12:])
    file.seek(12)
    picture = file.read()
    file.seek(12)
    canvas = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    file.write(_chunk(b"VP8X", canvas) + picture)
    return flags


def _still_webp(picture: bytes) -> tuple[int, int, int]:
    """Width, height and flags (alpha: 0x10) from the first 18 bytes of a VP8L or VP8 chunk (RFC 9649, RFC 6386)."""
    if picture[:4] == b"VP8L":
        (bits,) = struct.unpack_from("<I", picture, 9)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 0x10 * (bits >> 28 & 1)
    width, height = struct.unpack_from("<HH", picture, 14)
    return width & 0x3FFF, height & 0x3FFF, 0


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _exif(text: str) -> bytes:
    """A little-endian TIFF block with one entry: ImageDescription (0x010E), ASCII, after the directory."""
    value = text.encode("ascii", "replace") + b"\0"
    directory = struct.pack("<HHHIII", 1, 0x010E, 2, len(value), 26, 0)
    return b"II*\0" + struct.pack("<I", 8) + directory + value
