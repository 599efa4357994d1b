#!/usr/bin/env python3
"""Makes the images in this folder. Needs Pillow (with JPEG, WebP, AVIF and TIFF) in a virtual environment:

    python3 -m venv /tmp/pillow && /tmp/pillow/bin/pip install pillow
    /tmp/pillow/bin/python Fixtures/make-images.py

Running it again gives the same pixels; the bytes depend on the versions of Pillow and its codecs.
"""

import io
import math
import os
import random
import struct
import zlib

from PIL import Image, ImageDraw, ImageFilter, PngImagePlugin

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE = (311, 207)  # odd on purpose: no multiple of a block of any codec


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def encode(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def picture(width, height, seed=1):
    """Gradients and shapes; smooth enough to stay small."""
    rng = random.Random(seed)
    image = Image.new("RGB", (width, height))
    image.putdata(
        [
            (60 + 150 * x // width, 90 + 120 * y // height, 200 - 110 * (x + y) // (width + height))
            for y in range(height)
            for x in range(width)
        ]
    )
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        x, y, r = rng.randrange(width), rng.randrange(height), rng.randrange(height // 12, height // 5)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(40, 230) for _ in range(3)))
    return image


def cat(width, height):
    """A cat before a window: shapes, gradients and a little grain, as a photo has."""
    image = picture(width, height, seed=7).filter(ImageFilter.GaussianBlur(height // 18))
    draw = ImageDraw.Draw(image)
    s = height / 800
    cx, cy = width * 0.5, height * 0.56

    def at(x, y):
        return (cx + x * s, cy + y * s)

    fur, dark, pink = (196, 128, 66), (118, 72, 38), (224, 150, 150)
    draw.ellipse((*at(-260, 60), *at(260, 520)), fill=fur)
    draw.polygon([at(-205, -130), at(-190, -320), at(-40, -205)], fill=fur)
    draw.polygon([at(205, -130), at(190, -320), at(40, -205)], fill=fur)
    draw.polygon([at(-180, -165), at(-174, -280), at(-80, -205)], fill=pink)
    draw.polygon([at(180, -165), at(174, -280), at(80, -205)], fill=pink)
    draw.ellipse((*at(-220, -230), *at(220, 160)), fill=fur)
    for side in (-1, 1):
        x = side * 90
        draw.ellipse((*at(x - 48, -90), *at(x + 48, 5)), fill=(186, 205, 84))
        draw.ellipse((*at(x - 15, -88), *at(x + 15, 3)), fill=(15, 15, 20))
        draw.ellipse((*at(x + 2, -75), *at(x + 18, -58)), fill=(250, 250, 250))
        for k in (-1, 0, 1):
            draw.line([at(side * 45, 70 + 8 * k), at(side * 260, 50 + 45 * k)], fill=(240, 235, 225), width=3)
    for k in (-60, 0, 60):
        draw.line([at(k, -215), at(k * 0.8, -140)], fill=dark, width=int(16 * s))
    draw.polygon([at(-24, 38), at(24, 38), at(0, 66)], fill=pink)
    draw.arc((*at(-52, 48), *at(0, 110)), 0, 150, fill=dark, width=int(6 * s))
    draw.arc((*at(0, 48), *at(52, 110)), 30, 180, fill=dark, width=int(6 * s))
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    noise = Image.effect_noise((width, height), 14).convert("RGB")
    return Image.blend(image, noise, 0.04)


def exif(orientation, endian="II", thumbnail=b""):
    e = "<" if endian == "II" else ">"
    body = endian.encode() + struct.pack(e + "HI", 42, 8)
    body += struct.pack(e + "H", 2)
    body += struct.pack(e + "HHI4s", 0x010F, 2, 4, b"Cam\0")
    body += struct.pack(e + "HHIHH", 0x0112, 3, 1, orientation, 0)
    body += struct.pack(e + "I", 0)
    return b"Exif\0\0" + body + thumbnail


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def sections(jpeg):
    """Offset of the SOF marker."""
    o = 2
    while True:
        m, n = jpeg[o + 1], struct.unpack(">H", jpeg[o + 2 : o + 4])[0]
        if 0xC0 <= m <= 0xCF and m not in (0xC4, 0xC8, 0xCC):
            return o
        o += 2 + n


def chunk(type, body):
    return struct.pack(">I", len(body)) + type + body + struct.pack(">I", zlib.crc32(type + body))


PNG = b"\x89PNG\r\n\x1a\n"


def ihdr(w, h, depth, color, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace))


def jpegs(base):
    plain = encode(base, "JPEG", quality=70)
    write("exif-none.jpg", plain)
    for n in range(1, 9):
        write(f"exif-{n}.jpg", encode(base, "JPEG", quality=60, exif=exif(n, "II" if n % 2 else "MM")))
    write("exif-invalid-9.jpg", encode(base, "JPEG", quality=60, exif=exif(9)))
    bare = plain[20:] if plain[2:4] == b"\xff\xe0" else plain[2:]
    write("exif-two-first-wins.jpg", b"\xff\xd8" + segment(0xE1, exif(6)) + segment(0xE1, exif(3)) + bare)
    thumb = encode(base.resize((40, 27)), "JPEG")
    write("exif-thumbnail-sof.jpg", b"\xff\xd8" + segment(0xE1, exif(6, thumbnail=thumb)) + bare)
    write("exif-ifd-outside.jpg", b"\xff\xd8" + segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<I", 60000)) + bare)
    write("progressive.jpg", encode(base, "JPEG", quality=70, progressive=True))
    write("gray.jpg", encode(base.convert("L"), "JPEG"))
    write("cmyk-adobe.jpg", encode(base.convert("CMYK"), "JPEG", quality=60))
    write("fill-bytes.jpg", plain[:20] + b"\xff" * 7 + plain[20:])
    write("garbage.jpg", plain[:20] + b"garbage\x00" + plain[20:])
    write("segment-length-0.jpg", b"\xff\xd8\xff\xe5\x00\x00" + plain[2:])
    write("segment-length-1.jpg", b"\xff\xd8\xff\xe5\x00\x01" + plain[2:])
    sof = sections(plain)

    def patched(marker=None, precision=None, height=None, components=None):
        d = bytearray(plain)
        if marker is not None:
            d[sof + 1] = marker
        if precision is not None:
            d[sof + 4] = precision
        if height is not None:
            d[sof + 5 : sof + 7] = struct.pack(">H", height)
        if components is not None:
            d[sof + 9] = components
        return bytes(d)

    write("dnl-height-0.jpg", patched(height=0))
    write("precision-12.jpg", patched(precision=12))
    write("sof3-lossless.jpg", patched(marker=0xC3))
    write("sof55-jpegls.jpg", patched(marker=0xF7))
    write("two-components.jpg", patched(components=2))
    write("trailing-zip.jpg", plain + b"PK\x03\x04" + b"\0" * 40 + b"PK\x05\x06" + b"\0" * 18)
    for percent in (1, 10, 50, 90, 99):
        write(f"truncated-{percent}.jpg", plain[: len(plain) * percent // 100])
    write("eoi-first.jpg", b"\xff\xd8\xff\xd9" + plain[2:])


def pngs(base):
    plain = encode(base.quantize(16), "PNG")
    write("palette.png", plain)
    write("rgb.png", encode(base.resize((64, 43)), "PNG"))
    write("rgba.png", encode(base.resize((64, 43)).convert("RGBA"), "PNG"))
    write("gray.png", encode(base.convert("L").resize((64, 43)), "PNG"))
    write("gray-1bit.png", encode(base.convert("1"), "PNG"))
    write("32x16.png", encode(picture(32, 16, seed=3), "PNG"))
    rows = b"".join(b"\0" + bytes((x * y) & 255 for x in range(31 * 6)) for y in range(20))
    write("rgb16.png", PNG + ihdr(31, 20, 16, 2) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    gray = zlib.compress(b"".join(b"\0" + bytes(1) for _ in range(15)))  # the passes of an Adam7 8x8, 1 bit
    write("interlaced.png", PNG + ihdr(8, 8, 1, 0, 1) + chunk(b"IDAT", gray) + chunk(b"IEND", b""))
    frames = [base.resize((64, 43)).rotate(a) for a in (0, 90, 180)]
    write("animated.png", encode(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100))
    for n in (3, 6):
        body = exif(n)[6:]
        write(f"exif-{n}.png", plain[:33] + chunk(b"eXIf", body) + plain[33:])
    tail = plain[-12:]
    write("exif-6-after-idat.png", plain[:-12] + chunk(b"eXIf", exif(6)[6:]) + tail)
    cgbi = chunk(b"CgBI", b"\x50\x00\x20\x02")
    write("cgbi.png", PNG + cgbi + plain[8:])
    write("text-before-ihdr.png", PNG + chunk(b"tEXt", b"a\0b") + plain[8:])
    bad = bytearray(plain)
    bad[29] ^= 1
    write("bad-ihdr-crc.png", bytes(bad))
    bad = bytearray(plain)
    bad[-20] ^= 1
    write("bad-idat-crc.png", bytes(bad))
    write("bad-depth.png", PNG + ihdr(10, 10, 3, 2) + plain[33:])
    write("width-0.png", PNG + ihdr(0, 10, 8, 2) + plain[33:])
    write("width-2147483648.png", PNG + ihdr(2147483648, 1, 8, 2) + plain[33:])
    info = PngImagePlugin.PngInfo()
    info.add_text("big", "x" * 200_000, zip=True)
    write("ztxt-before-idat.png", encode(base.resize((64, 43)).quantize(8), "PNG", pnginfo=info))
    for percent in (1, 10, 50, 90, 99):
        write(f"truncated-{percent}.png", plain[: len(plain) * percent // 100])
    write("html_as.png", b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>\n")
    write("html-behind-signature.png", PNG + b"<script>alert(1)</script>" + b" " * 40)


def gifs(base):
    small = base.resize((80, 53)).quantize(32)
    plain = encode(small, "GIF")
    write("plain.gif", plain)
    frames = [base.resize((60, 40)).rotate(a).quantize(16) for a in (0, 45, 90)]
    write("animated.gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0, duration=80))
    write("no-trailer.gif", plain.rstrip(b";"))

    def gif(screen, frame, offset=(0, 0)):
        d = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
        d += b"," + struct.pack("<HHHHB", *offset, *frame, 0)
        return d + b"\x02\x02\x4c\x01\x00;"

    write("frame-smaller.gif", gif((100, 80), (40, 30)))
    write("frame-outside.gif", gif((20, 20), (40, 30)))
    write("screen-0.gif", gif((0, 0), (30, 20)))
    write("gif-and-javascript.gif", plain + b"/*\n*/=1;alert(1)//")
    for percent in (1, 10, 50, 90, 99):
        write(f"truncated-{percent}.gif", plain[: len(plain) * percent // 100])


def webps(base):
    write("lossy.webp", encode(base, "WEBP", quality=50))
    write("lossless.webp", encode(base.resize((64, 43)).quantize(8).convert("RGB"), "WEBP", lossless=True))
    write("alpha.webp", encode(base.resize((64, 43)).convert("RGBA").rotate(30), "WEBP", quality=50))
    write("exif-6-ignored.webp", encode(base, "WEBP", quality=40, exif=exif(6)))
    frames = [base.resize((64, 43)).rotate(a) for a in (0, 90, 180)]
    write("animated.webp", encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100))
    plain = bytearray(encode(base, "WEBP", quality=40))
    w, h = struct.unpack("<HH", plain[26:30])
    plain[26:30] = struct.pack("<HH", w | 0x4000, h | 0x8000)
    write("scale-bits.webp", bytes(plain))
    vp8x = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (999).to_bytes(3, "little") + (499).to_bytes(3, "little")
    write("vp8x-only.webp", b"RIFF" + struct.pack("<I", 4 + len(vp8x)) + b"WEBP" + vp8x)
    plain = encode(base, "WEBP", quality=40)
    for percent in (1, 10, 50, 90, 99):
        write(f"truncated-{percent}.webp", plain[: len(plain) * percent // 100])


def bmps():
    w, h = 31, 21

    def rows(bpp):
        stride = ((w * bpp + 31) // 32) * 4
        return bytes((x * 5 + y) & 255 for y in range(h) for x in range(stride))

    def bmp(dib, pixels, palette=b""):
        offset = 14 + len(dib) + len(palette)
        return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + dib + palette + pixels

    def info(bpp, comp=0, height=h, width=w, size=40):
        dib = struct.pack("<IiiHHIIiiII", size, width, height, 1, bpp, comp, 0, 2835, 2835, 0, 0)
        return dib + bytes(size - 40)

    gray = b"".join(bytes((i, i, i, 0)) for i in range(256))
    write("info24.bmp", bmp(info(24), rows(24)))
    write("info8.bmp", bmp(info(8), rows(8), gray))
    write("info1.bmp", bmp(info(1), rows(1), bytes(4) + b"\xff\xff\xff\0"))
    write("topdown.bmp", bmp(info(24, height=-h), rows(24)))
    write("v4.bmp", bmp(info(24, size=108), rows(24)))
    write("v5-rgba-bitfields.bmp", bmp(info(32, comp=3, size=124), rows(32)))
    write("bitfields-565.bmp", bmp(info(16, comp=3), rows(16), struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
    write("core12.bmp", bmp(struct.pack("<IHHHH", 12, w, h, 1, 24), rows(24)))
    write("os2-64.bmp", bmp(info(24, size=64), rows(24)))
    write("info16.bmp", bmp(struct.pack("<IiiHH", 16, w, h, 1, 24), rows(24)))
    write("rle8.bmp", bmp(info(8, comp=1), b"".join(bytes((w, y)) + b"\0\0" for y in range(h)) + b"\0\1", gray))
    write("negative-width.bmp", bmp(info(24, width=-w), rows(24)))
    write("truncated-50.bmp", bmp(info(24), rows(24))[:1000])
    write("text-BM.bmp", b"BMW builds cars and this is a text about it.\n")


def tiffs(base):
    small = base.resize((62, 41))
    write("plain.tif", encode(small, "TIFF", compression="tiff_lzw"))

    def tiff(e, w, h, orientation=1, big=False, at_end=False):
        head = 16 if big else 8
        code = {3: "H", 4: "I"}

        def field(tag, type, value):
            room = 8 if big else 4  # a value that fits stands in the entry itself, left-justified
            return struct.pack(e + ("HHQ" if big else "HHI"), tag, type, 1) + struct.pack(e + code[type], value).ljust(
                room, b"\0"
            )

        offset = head + (100_000 if at_end else 0)
        fields = [
            field(256, 4, w), field(257, 4, h), field(258, 3, 8), field(259, 3, 1), field(262, 3, 1),
            field(273, 4, head), field(274, 3, orientation), field(277, 3, 1), field(278, 4, h), field(279, 4, 8),
        ]
        magic = (b"II" if e == "<" else b"MM") + (
            struct.pack(e + "HHHQ", 43, 8, 0, offset) if big else struct.pack(e + "HI", 42, offset)
        )
        count = struct.pack(e + ("Q" if big else "H"), len(fields))
        end = bytes(8 if big else 4)
        return magic + bytes(offset - head) + count + b"".join(fields) + end

    write("little.tif", tiff("<", 31, 20))
    write("big-endian.tif", tiff(">", 31, 20))
    write("exif-6.tif", tiff("<", 31, 20, orientation=6))
    write("bigtiff-little.tif", tiff("<", 31, 20, big=True))
    write("bigtiff-big-endian.tif", tiff(">", 31, 20, big=True, orientation=8))
    write("ifd-at-end.tif", tiff("<", 31, 20, orientation=3, at_end=True))
    write("size-4294967295.tif", tiff("<", 4294967295, 4294967295))


def box(type, body):
    return struct.pack(">I", 8 + len(body)) + type + body


def full(type, body, version=0, flags=0):
    return box(type, struct.pack(">I", version << 24 | flags) + body)


def ispe(w, h):
    return full(b"ispe", struct.pack(">II", w, h))


def heif(properties, associations, major=b"heic", primary=1, extra=b"", mdat_first=False):
    """A HEIF of boxes only: what a header needs, without a coded picture."""
    body = full(b"hdlr", bytes(4) + b"pict" + bytes(13))
    body += full(b"pitm", struct.pack(">H", primary))
    ipma = struct.pack(">I", len(associations))
    for item, indexes in associations:
        ipma += struct.pack(">HB", item, len(indexes)) + bytes(0x80 | i for i in indexes)
    body += box(b"iprp", box(b"ipco", b"".join(properties)) + full(b"ipma", ipma))
    meta = full(b"meta", body)
    mdat = box(b"mdat", bytes(70_000 if mdat_first else 16))
    ftyp = box(b"ftyp", major + bytes(4) + b"mif1" + major)
    return ftyp + extra + (mdat + meta if mdat_first else meta + mdat)


def heifs(base):
    write("plain.avif", encode(base, "AVIF", quality=40))
    write("exif-6.avif", encode(base, "AVIF", quality=30, exif=exif(6)))
    frames = [base.resize((64, 43)).rotate(a) for a in (0, 90, 180)]
    write("animated.avif", encode(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=100))
    size = ispe(*SIZE)
    write("plain.heic", heif([size], [(1, [1])]))
    for turns in range(4):
        write(f"irot-{turns}.heic", heif([size, box(b"irot", bytes([turns]))], [(1, [1, 2])]))
    write("imir-1.heic", heif([size, box(b"imir", b"\1")], [(1, [1, 2])]))
    write("irot-1-imir-0.heic", heif([size, box(b"irot", b"\1"), box(b"imir", b"\0")], [(1, [1, 2, 3])]))
    clap = box(b"clap", struct.pack(">IIIIiIiI", 300, 1, 200, 1, 0, 1, 0, 1))
    write("clap-irot-3.heic", heif([size, clap, box(b"irot", b"\3")], [(1, [1, 2, 3])]))
    grid = heif([ispe(512, 512), ispe(160, 120), ispe(4032, 3024)], [(1, [1]), (2, [1]), (49, [3]), (50, [2])], primary=49)
    write("grid.heic", grid)
    write("meta-after-mdat.heic", heif([size], [(1, [1])], mdat_first=True))
    write("ispe-huge.avif", heif([ispe(2**31, 2**31)], [(1, [1])], major=b"avif"))
    write("no-ispe.heic", heif([box(b"irot", b"\1")], [(1, [1])]))
    tkhd = full(b"tkhd", bytes(72) + struct.pack(">II", 320 << 16, 180 << 16), flags=3)
    moov = box(b"moov", full(b"mvhd", bytes(96)) + box(b"trak", tkhd))
    write("sequence-moov.heic", box(b"ftyp", b"hevc" + bytes(4) + b"msf1hevc") + moov)
    write("movie.mp4.heic", box(b"ftyp", b"isom" + bytes(4) + b"isomavc1") + moov)
    write("box-length-4g.avif", box(b"ftyp", b"avif" + bytes(4) + b"avifmif1") + b"\xff\x00\x10\x9emeta" + bytes(60))


def others(base):
    small = base.resize((48, 32)).convert("RGBA")
    write("plain.ico", encode(small, "ICO", sizes=[(16, 16), (48, 32), (32, 32)]))
    ico = bytearray(encode(small, "ICO", sizes=[(32, 32)]))
    ico[2] = 2
    write("plain.cur", bytes(ico))
    write("plain.psd", b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 207, 311, 8, 3) + bytes(12))
    write("plain.psb", b"8BPS" + struct.pack(">H6xHIIHH", 2, 4, 40000, 50000, 16, 3) + bytes(12))
    write("plain.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>\n')
    write("bare.svg", b'\xef\xbb\xbf  <svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>\n')
    write("notes.txt", b"Only words, no pixels.\n")
    write("archive.zip", b"PK\x05\x06" + bytes(18))
    write("empty.jpg", b"")


def bombs():
    def sof(w, h, marker=0xC0):
        return segment(marker, struct.pack(">BHHB", 8, h, w, 3) + b"\x01\x22\x00\x02\x11\x01\x03\x11\x01")

    base = encode(Image.new("RGB", (16, 16)), "JPEG")
    at = sections(base)
    n = struct.unpack(">H", base[at + 2 : at + 4])[0]
    write("bomb-46340.jpg", base[:at] + sof(46340, 46340) + base[at + 2 + n :][:180])
    huge = base[:at] + sof(7000, 7000) + base[at + 2 + n :]
    write("bomb-7000-few-bytes.jpg", huge)
    progressive = encode(picture(320, 200), "JPEG", progressive=True, quality=40)
    # Empty scans at the end: every one makes a decoder walk over the whole image.
    scan = segment(0xDA, b"\x01\x01\x00\x00\x00\x01") + b"\0"
    write("bomb-200-scans.jpg", progressive[:-2] + scan * 200 + b"\xff\xd9")
    text = struct.pack(">I", 2**31 - 1) + b"tEXt" + b"a\0b\0"
    write("bomb-chunk-2g.png", PNG + ihdr(311, 207, 8, 2) + text)
    line = zlib.compress(b"\0" * 100)
    write("bomb-46340-1bit.png", PNG + ihdr(46340, 46340, 1, 0) + chunk(b"IDAT", line)[:-4])
    write("bomb-7000-few-bytes.png", PNG + ihdr(7000, 7000, 8, 6) + chunk(b"IDAT", line) + chunk(b"IEND", b""))
    write("bomb-46340.gif", b"GIF89a" + struct.pack("<HHBBB", 46340, 46340, 0x80, 0, 0) + bytes(6) + b"," +
          struct.pack("<HHHHB", 0, 0, 46340, 46340, 0) + b"\x02\x00")
    write("bomb-7000-few-bytes.gif", b"GIF89a" + struct.pack("<HHBBB", 7000, 7000, 0x80, 0, 0) + bytes(6) + b"," +
          struct.pack("<HHHHB", 0, 0, 7000, 7000, 0) + b"\x02\x00;")
    vp8l = b"\x2f" + struct.pack("<I", 16382 | 16382 << 14) + bytes(9)
    write("bomb-16383.webp", b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", len(vp8l)) + vp8l)
    dib = struct.pack("<IiiHHIIiiII", 40, 46340, 46340, 1, 8, 1, 0, 0, 0, 0, 0)
    write("bomb-46340-rle8.bmp", b"BM" + struct.pack("<IHHI", 1080, 0, 0, 1078) + dib + bytes(1024) + b"\0\1")


def main():
    write("cat.jpg", encode(cat(1200, 800), "JPEG", quality=86, exif=exif(1)))
    portrait = cat(900, 1200).transpose(Image.Transpose.ROTATE_90)
    write("portrait-exif6.jpg", encode(portrait.resize((600, 450)), "JPEG", quality=80, exif=exif(6)))
    base = picture(*SIZE)
    jpegs(base)
    pngs(base)
    gifs(base)
    webps(base)
    bmps()
    tiffs(base)
    heifs(base)
    others(base)
    bombs()


main()
