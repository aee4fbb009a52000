"""Synthetic photographs for the demonstration: JPEG files as a phone makes them, marked in the picture as invented.

Owns camera, light and EXIF; `scenery` owns what is seen. Serves `server.demo` and tests. Pure: the same arguments give
the same bytes on one machine (letters depend on its fonts). `sign` decides the look of a shop, so that photographs of
one shop resemble each other and those of different shops do not.
"""

import io
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from PIL import ExifTags, Image, ImageChops, ImageEnhance

from server.demo.lettering import writable
from server.demo.scenery import PLANE, SCENES, Brush, paint

__all__ = ["LARGE", "SCENES", "SMALL", "make_photo"]

SMALL, LARGE = (1600, 1200), (4000, 3000)
MAKE = "SYNTHETIC"
MODELS = ("Demo Phone 12", "Demo Phone 14 Pro", "Demo Handheld H3")
BEIJING = timezone(timedelta(hours=8))
QUALITY = 82
# How much of the scene's width the frame holds: the rest is room for the camera to turn and move.
FRAME = SMALL[0] / PLANE[0]


def make_photo(
    seed: int, *, taken_at: datetime, lon: float, lat: float, sign: str, scene: str, size: tuple[int, int] = SMALL
) -> bytes:
    """Take a photograph of the shop with this sign and return a JPEG with EXIF.

    scene is one of `SCENES`: clean, goods, rubbish, bikes, banner. taken_at is aware; EXIF holds it as Beijing time
    with offset, and the position (WGS 84, degrees) with UTC time as GPS. `SMALL` makes 150 to 400 KB, `LARGE` 12
    megapixels and about 2 MB. Raises ValueError for an unknown scene or a taken_at without zone.
    """
    if taken_at.tzinfo is None:
        raise ValueError("taken_at has no time zone")
    look, shot = Random(f"look of {sign}"), Random(f"{seed}/{sign}/{scene}")
    place = paint(look, shot, sign=sign, scene=scene, width_px=round(size[0] / FRAME))
    photo = _grain(_light(_frame(place, shot, size), shot, taken_at), shot)
    _mark(photo, shot)
    exif = _exif(look, shot, taken_at, lon, lat, size)
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=QUALITY, exif=exif)
    return file.getvalue()


def _frame(place: Image.Image, shot: Random, size: tuple[int, int]) -> Image.Image:
    """Hold the camera: turned by up to 3 degrees, moved, nearer or farther."""
    turned = place.rotate(shot.uniform(-3, 3), Image.Resampling.BILINEAR, fillcolor=(120, 124, 128))
    width = place.width * shot.uniform(0.74, 0.92)
    height = width * size[1] / size[0]
    left = shot.uniform(0.03, 0.97) * (place.width - width)
    top = shot.uniform(0.2, 0.8) * (place.height - height)
    return turned.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))


def _light(photo: Image.Image, shot: Random, taken_at: datetime) -> Image.Image:
    """Darken before 7 and after 18 o'clock, and let the light fall from one side."""
    hour = taken_at.astimezone(BEIJING).hour
    daylight = shot.uniform(0.95, 1.12) if 7 <= hour < 18 else shot.uniform(0.5, 0.65)
    fall = Image.linear_gradient("L").rotate(shot.choice((0, 90, 180, 270))).resize(photo.size)
    fall = fall.point([round(190 + level * 65 / 255) for level in range(256)])
    lit = ImageChops.multiply(photo, Image.merge("RGB", (fall, fall, fall)))
    return ImageEnhance.Brightness(lit).enhance(daylight)


def _grain(photo: Image.Image, shot: Random) -> Image.Image:
    """Add the noise of a small sensor, at half the picture's resolution."""
    half = (photo.width // 2, photo.height // 2)
    noise = Image.frombytes("L", half, shot.randbytes(half[0] * half[1])).resize(photo.size, Image.Resampling.BILINEAR)
    noise = noise.point([round(128 + (level - 128) * 0.12) for level in range(256)])
    return ImageChops.add(photo, Image.merge("RGB", (noise, noise, noise)), offset=-128)


def _mark(photo: Image.Image, shot: Random) -> None:
    """Say in the picture that it is invented."""
    brush = Brush(photo, shot)
    foot = photo.height / brush.scale
    band = (PLANE[0] * 0.62, foot - 100, PLANE[0] * 0.99, foot - 22)
    brush.box(band, (16, 16, 16))
    brush.text(band, writable("演示 SYNTHETIC", "DEMO SYNTHETIC"), (255, 214, 0))


def _exif(look: Random, shot: Random, taken_at: datetime, lon: float, lat: float, size: tuple[int, int]) -> Image.Exif:
    """Write what a phone writes (Exif 2.32): local time with offset, position, GPS time in UTC."""
    base, gps_base = ExifTags.Base, ExifTags.GPS
    local, utc = taken_at.astimezone(BEIJING), taken_at.astimezone(UTC)
    clock = local.strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[base.ImageDescription] = "SYNTHETIC demonstration photograph"
    exif[base.Make], exif[base.Model] = MAKE, look.choice(MODELS)
    exif[base.Orientation] = 1
    exif[base.DateTime] = clock
    exif.get_ifd(ExifTags.IFD.Exif).update({
        base.DateTimeOriginal: clock, base.DateTimeDigitized: clock,
        base.OffsetTime: "+08:00", base.OffsetTimeOriginal: "+08:00", base.OffsetTimeDigitized: "+08:00",
        base.SubsecTimeOriginal: f"{local.microsecond // 1000:03d}",
        base.ExposureTime: 1 / shot.choice((60, 120, 250)), base.FNumber: 1.8,
        base.ISOSpeedRatings: shot.choice((50, 100, 200)),
        base.ExifImageWidth: size[0], base.ExifImageHeight: size[1],
    })
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({
        gps_base.GPSVersionID: b"\x02\x03\x00\x00",
        gps_base.GPSLatitudeRef: "N" if lat >= 0 else "S", gps_base.GPSLatitude: _degrees(lat),
        gps_base.GPSLongitudeRef: "E" if lon >= 0 else "W", gps_base.GPSLongitude: _degrees(lon),
        gps_base.GPSTimeStamp: (float(utc.hour), float(utc.minute), float(utc.second)),
        gps_base.GPSDateStamp: utc.strftime("%Y:%m:%d"), gps_base.GPSMapDatum: "WGS-84",
    })
    return exif


def _degrees(angle: float) -> tuple[float, float, float]:
    """Split into degrees, minutes, seconds; the seconds to four decimals, about 3 mm."""
    seconds = round(abs(angle) * 3600, 4)
    return float(seconds // 3600), float(seconds % 3600 // 60), round(seconds % 60, 4)
