"""The event-driven engine: a network becomes one compiled loop whose cost follows its spikes.

`translate` turns a step written once in JAX into scalar code, `source` writes the loop of a whole
network around it, `compiled` compiles and keeps it, `layout` brings the network's arrays into the
order that the loop wants, `connections` its wirings; `plasticity`, `learning_source` and `learning`
let weights learn at spikes. `neurula.simulate` is the door.
"""
