import pytest
from neurula.claims import StareLonger
from neurula.tasks import Noisy
from neurula.testing import check_claim, check_task
def test_t(): check_task(Noisy())
def test_c(): check_claim(StareLonger())
