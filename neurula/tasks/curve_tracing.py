"""Are two marked points on one curve? What takes following, since no pixel alone gives it away.

Jolicoeur, Ullman & Mackay (1986), Mem. Cogn. 14:129 (curve tracing); Minsky & Papert (1969),
Perceptrons (connectedness is no local predicate); Linsley, Kim, Veerabadran, Windolf & Serre
(2018), NeurIPS 31:152 (Pathfinder).
"""

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require, require_exam, split_key

INK, START, ASKED = 0, 1, 2  # channels of a picture
CORNERS = ((-1, -1), (-1, 1), (1, 1), (1, -1))  # of the crossing, clockwise: where arms begin
BETWEEN = ((-1, 0), (0, 1), (1, 0), (0, -1))  # the cells that join each corner to the next
Mask = Bool[Array, "row column"]


class CurveTracing(AbstractTask):
    """Two curves one pixel wide; a point of one is marked, and each pixel says whether it is on it.

    Four arms grow from the corners of a crossing of 3 x 3 pixels, `arm` pixels each where there is
    room, and touch neither each other nor themselves. The crossing joins them in pairs: upper with
    upper and lower with lower, or left with left and right with right. The start is the end of one
    arm, the point asked for that of a neighbouring one. Everything but the crossing is drawn
    without regard to it, so that neither arms nor marks say by themselves whether the two are
    joined: in half of the pictures they are.
    Stimuli are three channels in a row, (channel, pixel): ink, start, point asked for. Outputs and
    targets: one number for each pixel, positive and 1 where it is joined to the start. The error is
    the cross-entropy in nats, the mean over pixels with ink; the score is whether the answer at the
    point asked for is right. Examples never repeat.
    """

    side: int = 16  # pixels
    arm: int = 6  # pixels beyond the crossing
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require_exam(self, self.exam_size)
        require(
            self.arm >= 1 and self.side >= 7,
            f"CurveTracing expects arms of 1 pixel or more in pictures of 7 pixels a side or more, "
            f"got arm={self.arm}, side={self.side}",
            "Around a crossing of 3 x 3 pixels there must be room for arms",
            "CurveTracing(side=16, arm=6)",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, 3 * self.side**2, self.side**2

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        growth = 4 * self.arm * self.side**2  # one draw: each takes the compiler long
        chance = jr.uniform(split_key(key, split), (6 + growth,), minval=1e-6)
        row, column, way, first, turn, long = chance[:6]
        room = self.side - 6  # a crossing has two pixels or more on every side of it
        middle = 3 + jnp.stack([below(room, row), below(room, column)])
        arms, ends = self._grow(
            middle, 1 + below(self.arm, long), chance[6:].reshape(-1, self.side, self.side)
        )
        # Corner i is joined to i + 1 for even or for odd i.
        odd, start, other = below(2, way), below(4, first), below(2, turn)
        asked = (start + 1 + 2 * other) % 4
        partner = jnp.where(start % 2 == odd, start + 1, start + 3) % 4
        bridges = [self._at(middle + jnp.array(place)) for place in BETWEEN]
        here = jnp.arange(4) % 2 == odd
        ink = jnp.any(arms, 0) | jnp.any(jnp.stack(bridges) & here[:, None, None], 0)
        bridge = jnp.where(partner == (start + 1) % 4, start, partner)
        joined = arms[start] | arms[partner] | jnp.stack(bridges)[bridge]
        picture = jnp.stack([ink, self._at(ends[start]), self._at(ends[asked])])
        stimuli = picture.astype(jnp.float32).reshape(1, -1)
        return Sample(stimuli, joined.astype(jnp.float32).reshape(1, -1))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        ink = self.channel(sample, INK)
        with jax.numpy_dtype_promotion("standard"):
            wrong = optax.sigmoid_binary_cross_entropy(outputs[-1], jnp.asarray(sample.target)[-1])
        return jnp.sum(ink * wrong) / jnp.sum(ink)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        right = (outputs[-1] > 0) == (jnp.asarray(sample.target)[-1] > 0)
        return jnp.sum(self.channel(sample, ASKED) * right.astype(outputs.dtype))

    def channel(self, sample: Sample, which: int) -> Float[Array, " pixel"]:
        """The ink, the start or the point asked for."""
        return sample.stimuli[-1].reshape(3, -1)[which]

    def _at(self, place: Int[Array, "2"]) -> Mask:
        along = jnp.arange(self.side)
        return (along == place[0])[:, None] & (along == place[1])[None]

    def _around(self, place: Int[Array, "2"]) -> Mask:
        along = jnp.arange(self.side)
        return (abs(along - place[0]) <= 1)[:, None] & (abs(along - place[1]) <= 1)[None]

    def _grow(
        self,
        middle: Int[Array, "2"],
        length: Int[Array, ""],
        luck: Float[Array, "turn row column"],
    ) -> tuple[Bool[Array, "4 row column"], Int[Array, "4 2"]]:
        """Where arms are, and their ends. They grow in turns around a crossing that is full."""
        heads = middle[None] + jnp.array(CORNERS)
        arms = jax.vmap(self._at)(heads)

        def longer(carry, now):
            arms, heads = carry
            count, luck = now
            turn = count % 4
            full = (jnp.any(arms, 0) | self._around(middle)).astype(jnp.float32)
            wide = jnp.pad(full, 1)
            rows = wide[:-2] + wide[1:-1] + wide[2:]
            touched = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
            free = (full == 0) & (touched == 1) & self._around(heads[turn])  # touches its head only
            free = free & (count // 4 < length)
            best = jnp.argmax(jnp.where(free, luck, 0.0))
            place = jnp.stack([best // self.side, best % self.side]).astype(heads.dtype)
            head = jnp.where(jnp.any(free), place, heads[turn])
            return (arms.at[turn].set(arms[turn] | self._at(head)), heads.at[turn].set(head)), None

        return jax.lax.scan(longer, (arms, heads), (jnp.arange(4 * self.arm), luck))[0]
