"""The box of a road, by which those near a place are found without reading all."""

import shapely
import sqlalchemy as sa
from alembic import op

revision = "0020_road_boxes"
down_revision = "0019_roads"
branch_labels = None
depends_on = None

SIDES = ("west", "south", "east", "north")


def upgrade() -> None:
    with op.batch_alter_table("road") as batch:
        for side in SIDES:
            batch.add_column(sa.Column(side, sa.Float(), nullable=False, server_default="0"))
    road = sa.table("road", sa.column("id"), sa.column("line"), *map(sa.column, SIDES))
    drawn = op.get_bind().execute(sa.select(road.c.id, road.c.line)).all()
    for each in drawn:
        box = dict(zip(SIDES, shapely.from_geojson(each.line).bounds, strict=True))
        op.execute(road.update().where(road.c.id == each.id).values(box))
    with op.batch_alter_table("road") as batch:
        for side in SIDES:
            batch.alter_column(side, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("road") as batch:
        for side in SIDES:
            batch.drop_column(side)
