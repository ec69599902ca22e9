"""Numbers into Plotly figures. To add one: a file here, and a line below."""

from .angles import angles as angles
from .beside import beside as beside
from .curves import curves as curves
from .endings import endings as endings
from .evolution import evolution as evolution
from .film import film as film
from .forest import forest as forest
from .graph import graph as graph
from .growth import growth as growth, growth_strip as growth_strip
from .images import images as images
from .likeness import likeness as likeness
from .lineage import lineage as lineage
from .maps import maps as maps
from .network import network as network
from .path import path as path, walking as walking
from .phase_plane import phase_plane as phase_plane
from .polar import polar as polar
from .raster import raster as raster
from .rate_curve import rate_curve as rate_curve
from .rate_maps import rate_maps as rate_maps
from .rdms import rdms as rdms
from .receptive_fields import receptive_fields as receptive_fields
from .room import room as room
from .seeds import seeds as seeds
from .shares import shares as shares
from .species import species as species
from .stacked import stacked as stacked
from .traces import traces as traces
