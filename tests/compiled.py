"""What tests do to networks again and again, as one program each.

Op by op every operation would compile a program of its own for every new shape.
"""

import equinox as eqx

import neurula
from neurula import rules

autoencoder = eqx.filter_jit(neurula.autoencoder)
boltzmann = eqx.filter_jit(neurula.boltzmann)
examine = eqx.filter_jit(neurula.examine)
free = eqx.filter_jit(neurula.free)
layered = eqx.filter_jit(neurula.layered)
learn = eqx.filter_jit(neurula.learn)
lesion = eqx.filter_jit(neurula.lesion)
record = eqx.filter_jit(neurula.record)
relaxing = eqx.filter_jit(neurula.relaxing)
respond = eqx.filter_jit(neurula.respond)
settle = eqx.filter_jit(rules.settle)
two_way = eqx.filter_jit(neurula.two_way)
