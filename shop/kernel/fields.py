"""Columns of money and of points; apart from the types, so that pure rules need no Django."""

from django.db import models

from shop.kernel.money import Cents, Points


class CentsField(models.BigIntegerField[Cents, Cents]):
    """A column of money in minor units."""


class OptionalCentsField(models.BigIntegerField[Cents | None, Cents | None]):
    """A nullable column of money in minor units."""


class PointsField(models.BigIntegerField[Points, Points]):
    """A column of whole points."""
