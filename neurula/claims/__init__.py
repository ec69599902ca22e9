"""One sentence, one experiment per file. To add one: a file here, and a line below."""

from .stare_longer import StareLonger as StareLonger
