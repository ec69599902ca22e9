"""Files of others, in and out. To add a format: files here, and lines below."""

from .gymnasium_view import to_gymnasium as to_gymnasium
from .nir_reader import from_nir as from_nir
from .nir_writer import to_nir as to_nir
from .nwb_reader import from_nwb as from_nwb
from .nwb_writer import Recorded as Recorded, Series as Series, to_nwb as to_nwb
