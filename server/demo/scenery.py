"""What stands before the camera in the demonstration's photographs: a shop front, its pavement, what is wrong there.

Serves `pictures`. `look` decides how a shop looks and is the same whenever that shop is photographed; `shot` decides
what differs from one photograph to the next. Places are on a plane of 1920 x 1440, whatever the number of pixels.
"""

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from server.demo.lettering import font, writable

PLANE = (1920, 1440)
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

WALL_FOOT, KERB = 1010, 1250
_WALLS = ((196, 186, 170), (168, 172, 176), (205, 196, 150), (182, 150, 130), (150, 160, 150), (214, 210, 204))
_SIGNS = ((176, 28, 32), (20, 84, 150), (24, 120, 70), (226, 150, 20), (90, 40, 110), (40, 44, 52))
_GOODS = ((214, 60, 40), (240, 180, 40), (90, 160, 60), (230, 120, 40), (150, 90, 50), (60, 110, 170), (200, 200, 196))


class Brush:
    """Draws on the plane. Colours drift a little with each stroke, as paint and light do."""

    def __init__(self, picture: Image.Image, shot: Random) -> None:
        self.draw = ImageDraw.Draw(picture, "RGBA")
        self.scale = picture.width / PLANE[0]
        self.shot = shot

    def colour(self, colour: Colour, drift: int = 8) -> Colour:
        shift = self.shot.randint(-drift, drift)
        red, green, blue = (max(0, min(255, part + shift)) for part in colour)
        return red, green, blue

    def box(self, box: Box, colour: Colour, edge: Colour | None = None) -> None:
        left, top, right, bottom = (place * self.scale for place in box)
        if right > left and bottom > top:
            self.draw.rectangle((left, top, right, bottom), self.colour(colour), edge, max(1, round(3 * self.scale)))

    def round(self, box: Box, colour: Colour, ring: float = 0) -> None:
        left, top, right, bottom = (place * self.scale for place in box)
        fill = None if ring else self.colour(colour)
        self.draw.ellipse((left, top, right, bottom), fill, colour, max(1, round((ring or 2) * self.scale)))

    def shape(self, points: list[tuple[float, float]], colour: Colour, opacity: int = 255) -> None:
        self.draw.polygon([(x * self.scale, y * self.scale) for x, y in points], (*self.colour(colour), opacity))

    def line(self, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
        places = [(x * self.scale, y * self.scale) for x, y in points]
        self.draw.line(places, colour, max(1, round(width * self.scale)), joint="curve")

    def text(self, box: Box, text: str, colour: Colour) -> None:
        """Write the text as large as the box lets it be, in the box's middle."""
        left, top, right, bottom = (place * self.scale for place in box)
        size = (bottom - top) * 0.8
        width = font(round(size)).getlength(text)
        size *= min(1.0, (right - left) * 0.92 / width)
        middle = ((left + right) / 2, (top + bottom) / 2)
        self.draw.text(middle, text, colour, font(max(8, round(size))), anchor="mm")


def paint(look: Random, shot: Random, *, sign: str, scene: str, width_px: int) -> Image.Image:
    """Paint the place. Raises ValueError for a scene that is not one of `SCENES`."""
    if scene not in SCENES:
        raise ValueError(f"no scene {scene!r}, only {', '.join(SCENES)}")
    picture = Image.new("RGB", (width_px, round(width_px * PLANE[1] / PLANE[0])), (150, 176, 204))
    brush = Brush(picture, shot)
    left, right = 260 + look.randint(-120, 120), 1640 + look.randint(-120, 120)
    _house(brush, look)
    _neighbours(brush, look, left, right)
    _shop(brush, look, left, right, sign)
    _ground(brush, look)
    SCENES[scene](brush, look, left, right)
    _passing(brush, shot)
    return picture


def _house(brush: Brush, look: Random) -> None:
    eaves = look.randint(0, 160)
    brush.box((0, eaves, PLANE[0], WALL_FOOT), look.choice(_WALLS))
    step = look.choice((240, 310, 420))
    for left in range(look.randint(-100, 100), PLANE[0], step):
        glass = look.choice(((70, 90, 110), (110, 130, 140), (48, 56, 64)))
        brush.box((left, eaves + 50, left + step * 0.55, 330), glass, (225, 225, 220))
        if look.random() < 0.5:  # an air conditioner below the window
            brush.box((left + 20, 335, left + 130, 385), (220, 220, 214), (150, 150, 146))


def _neighbours(brush: Brush, look: Random, left: float, right: float) -> None:
    for start, stop in ((-50, left - 24), (right + 24, PLANE[0] + 50)):
        top = look.randint(395, 450)
        shutter = look.choice(((60, 70, 76), (150, 152, 150), (96, 74, 60)))
        brush.box((start, top, stop, top + 120), look.choice(_SIGNS))
        brush.box((start + 20, top + 150, stop - 20, WALL_FOOT), shutter)


def _shop(brush: Brush, look: Random, left: float, right: float, sign: str) -> None:
    top = look.randint(390, 460)
    board, height = look.choice(_SIGNS), look.randint(110, 160)
    brush.box((left, top, right, top + height), board, (245, 240, 225))
    words = writable(sign, f"SHOP {look.randint(100, 999)}")
    brush.text((left, top, right, top + height), words, look.choice(((255, 250, 235), (255, 226, 120))))
    foot = top + height + 20
    brush.box((left, foot, right, WALL_FOOT), (52, 48, 44))
    door = look.uniform(0.15, 0.7)
    for shelf in range(1, 4):
        y = foot + shelf * (WALL_FOOT - foot - 30) / 3
        brush.line([(left, y), (right, y)], (120, 100, 80), 8)
        for x in range(int(left) + 20, int(right) - 60, 46):
            brush.box((x, y - look.randint(30, 100), x + look.randint(20, 40), y), look.choice(_GOODS))
    width = right - left
    brush.box((left + width * door, foot, left + width * (door + 0.22), WALL_FOOT), (30, 34, 38), (200, 200, 196))
    if look.random() < 0.6:
        _awning(brush, look, left, right, foot)


def _awning(brush: Brush, look: Random, left: float, right: float, top: float) -> None:
    colours = (look.choice(_SIGNS), (236, 232, 222))
    stripes = look.randint(7, 15)
    step, drop = (right - left) / stripes, look.randint(60, 120)
    for stripe in range(stripes):
        x = left + stripe * step
        corners = [(x, top), (x + step, top), (x + step * 1.04, top + drop), (x - step * 0.04, top + drop)]
        brush.shape(corners, colours[stripe % 2])


def _ground(brush: Brush, look: Random) -> None:
    tile, joint = look.choice((((172, 160, 150), (140, 130, 122)), ((150, 152, 150), (120, 122, 120)),
                               ((176, 128, 110), (148, 104, 90))))
    brush.box((0, WALL_FOOT, PLANE[0], KERB), tile)
    for row in (20, 55, 105, 170):
        brush.line([(0, WALL_FOOT + row), (PLANE[0], WALL_FOOT + row)], joint, 3)
    for column in range(-12, 13):
        brush.line([(960 + column * 90, WALL_FOOT), (960 + column * 150, KERB)], joint, 3)
    brush.box((0, KERB, PLANE[0], KERB + 26), (206, 204, 198))
    brush.box((0, KERB + 26, PLANE[0], PLANE[1]), (84, 86, 90))
    brush.box((0, 1380, PLANE[0], 1392), (220, 220, 214))


def _clean(brush: Brush, look: Random, left: float, right: float) -> None:
    x = look.uniform(left, right - 90)
    brush.box((x, WALL_FOOT - 60, x + 80, WALL_FOOT + 20), (150, 84, 56))
    brush.round((x - 20, WALL_FOOT - 170, x + 100, WALL_FOOT - 40), (60, 112, 56))


def _goods(brush: Brush, look: Random, left: float, right: float) -> None:
    """Crates of goods that stand out on the pavement."""
    shot = brush.shot
    for _ in range(shot.randint(6, 12)):
        x, y, size = shot.uniform(left, right - 180), shot.uniform(WALL_FOOT - 40, KERB - 130), shot.uniform(100, 190)
        brush.box((x, y, x + size, y + size * 0.55), (190, 150, 96), (110, 80, 50))
        colour = shot.choice(_GOODS)
        for fruit in range(int(size // 26)):
            brush.round((x + fruit * 26, y - 16, x + fruit * 26 + 30, y + 14), colour)


def _rubbish(brush: Brush, look: Random, left: float, right: float) -> None:
    """Bags, paper and a wet patch."""
    shot = brush.shot
    x = shot.uniform(left, right - 300)
    brush.round((x - 80, KERB - 90, x + 360, KERB - 10), (104, 100, 92))
    for _ in range(shot.randint(3, 6)):
        bag, y = x + shot.uniform(0, 260), KERB - shot.uniform(90, 170)
        brush.round((bag, y, bag + 120, y + 110), shot.choice(((30, 32, 36), (60, 66, 60), (190, 190, 200))))
    for _ in range(shot.randint(12, 30)):
        paper, y = shot.uniform(left, right), shot.uniform(WALL_FOOT + 30, KERB + 60)
        brush.shape([(paper, y), (paper + 26, y + 6), (paper + 20, y + 22), (paper - 6, y + 14)], (228, 226, 216))


def _bikes(brush: Brush, look: Random, left: float, right: float) -> None:
    """Electric bikes across the pavement instead of along the line."""
    shot = brush.shot
    x = shot.uniform(left - 100, left + 200)
    for _ in range(shot.randint(2, 4)):
        y, colour = KERB - shot.uniform(70, 130), shot.choice(_SIGNS)
        for wheel in (x, x + 190):
            brush.round((wheel, y, wheel + 110, y + 110), (26, 26, 28), ring=14)
        frame = [(x + 55, y + 55), (x + 110, y), (x + 220, y + 10), (x + 245, y + 55), (x + 120, y + 70)]
        brush.shape(frame, colour)
        brush.line([(x + 245, y + 55), (x + 205, y - 90), (x + 170, y - 96)], (40, 40, 42), 12)
        brush.box((x + 60, y - 26, x + 150, y + 4), (28, 28, 30))
        x += shot.uniform(260, 330)


def _banner(brush: Brush, look: Random, left: float, right: float) -> None:
    """A banner hung before the shop without a permit, sagging to one side."""
    shot = brush.shot
    y, sag = shot.uniform(620, 720), shot.uniform(-40, 40)
    box = (left + 80, y, right - 80, y + 110)
    brush.shape([(box[0], y), (box[2], y + sag), (box[2], y + sag + 110), (box[0], y + 110)], (190, 20, 30))
    words = writable(shot.choice(("全场五折 清仓甩卖", "新店开业 买一送一", "旺铺转让 价格面议")), "SALE SALE SALE")
    brush.text((box[0], y + sag / 2, box[2], y + sag / 2 + 110), words, (255, 236, 120))


SCENES: dict[str, Callable[[Brush, Random, float, float], None]] = {
    "clean": _clean, "goods": _goods, "rubbish": _rubbish, "bikes": _bikes, "banner": _banner,
}


def _passing(brush: Brush, shot: Random) -> None:
    """What stands or moves between camera and shop: a tree or lamp post, people, the shadow of a house."""
    if shot.random() < 0.7:
        x, width = shot.choice((shot.uniform(60, 420), shot.uniform(1480, 1840))), shot.uniform(24, 64)
        brush.box((x, 0, x + width, KERB), shot.choice(((82, 66, 52), (120, 122, 124))))
        for _ in range(shot.randint(0, 9)):
            leaf, y, size = x + shot.uniform(-260, 200), shot.uniform(-60, 260), shot.uniform(90, 220)
            brush.round((leaf, y, leaf + size, y + size * 0.8), (56, shot.randint(84, 120), 44))
    for _ in range(shot.randint(0, 2)):
        x, foot, tall = shot.uniform(120, 1750), shot.uniform(WALL_FOOT + 60, KERB + 40), shot.uniform(330, 420)
        coat = shot.choice(_SIGNS)
        brush.box((x + 12, foot - tall * 0.45, x + 78, foot), (44, 46, 56))
        brush.box((x, foot - tall * 0.85, x + 90, foot - tall * 0.42), coat)
        brush.round((x + 14, foot - tall, x + 76, foot - tall * 0.82), (206, 168, 140))
    edge, slant = shot.uniform(-400, 1900), shot.uniform(-500, 500)
    brush.shape([(edge, 0), (edge + 900, 0), (edge + 900 + slant, 1440), (edge + slant, 1440)], (10, 14, 24), 70)
