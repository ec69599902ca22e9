"""Numbers into Plotly figures. To add one: a file here, and a line below."""

from .angles import angles as angles
from .curves import curves as curves
from .forest import forest as forest
from .graph import graph as graph
from .images import images as images
from .maps import maps as maps
from .raster import raster as raster
from .seeds import seeds as seeds
