"""One sentence, one experiment per file. To add one: a file here, and a line below."""

from .feedback_alignment import FeedbackAlignment as FeedbackAlignment
from .free_graph import FreeGraph as FreeGraph
from .stare_longer import StareLonger as StareLonger
