"""Compiled loops over weighted ranks: whole numbers only, so that ties are ties exactly.

Ranks are doubled and centred: with n the sum of all weights, 2 rank - (n + 1) is the weight of
what is smaller minus the weight of what is larger, a whole number for mid-ranks too. Sums of such
ranks are sorted by their digits. Weighted Kendall: Knight (1966), JASA 61:436, with Fenwick's
(1994) tree of cumulative weights, Softw. Pract. Exper. 24:327.
"""

import numpy as np

from .compiling import compiled

DIGIT = 9  # bits that are sorted at a time


@compiled
def sort_by_digits(keys, order, spare):
    """Write the stable order of whole numbers into `order`; `spare` is as long."""
    size = len(keys)
    low, high = keys[0], keys[0]
    for key in keys:
        low, high = min(low, key), max(high, key)
    for k in range(size):
        order[k] = k
    count = np.empty(1 << DIGIT, np.int64)
    shift = 0
    while (high - low) >> shift > 0:
        count[:] = 0
        for key in keys:
            count[((key - low) >> shift) & ((1 << DIGIT) - 1)] += 1
        total = 0
        for digit in range(1 << DIGIT):
            count[digit], total = total, total + count[digit]
        for k in range(size):
            place = ((keys[order[k]] - low) >> shift) & ((1 << DIGIT) - 1)
            spare[count[place]] = order[k]
            count[place] += 1
        order[:] = spare
        shift += DIGIT


@compiled
def rank_levels(levels, size, weights, ranks):
    """Doubled, centred mid-ranks of rows given by `levels`, the place among their `size` values."""
    below = np.empty(size + 1, np.int64)
    for row in range(len(levels)):
        below[:] = 0
        for p in range(len(weights)):
            below[levels[row, p] + 1] += weights[p]
        for k in range(size):
            below[k + 1] += below[k]
        for p in range(len(weights)):
            level = levels[row, p]
            ranks[row, p] = below[level] + below[level + 1] - below[size]


@compiled
def rank_keys(keys, weights, order, ranks):
    """The same for any whole numbers, whose `order` is known."""
    total = 0
    for weight in weights:
        total += weight
    start, before = 0, 0
    while start < len(keys):
        end, here = start, 0
        while end < len(keys) and keys[order[end]] == keys[order[start]]:
            here += weights[order[end]]
            end += 1
        for k in range(start, end):
            ranks[order[k]] = 2 * before + here - total
        start, before = end, before + here


@compiled
def concordance(keys, order, levels, size, weights):
    """Concordant minus discordant weight of all pairs of entries of `keys` and `levels`."""
    tree = np.zeros(size + 1, np.int64)
    total, found, start = 0, 0, 0
    while start < len(keys):
        end = start
        while end < len(keys) and keys[order[end]] == keys[order[start]]:
            p = order[end]
            below, upto = 0, 0
            k = levels[p]
            while k > 0:
                below += tree[k]
                k -= k & -k
            k = levels[p] + 1
            while k > 0:
                upto += tree[k]
                k -= k & -k
            found += weights[p] * (below - (total - upto))
            end += 1
        for each in range(start, end):
            p = order[each]
            total += weights[p]
            k = levels[p] + 1
            while k <= size:
                tree[k] += weights[p]
                k += k & -k
        start = end
    return found


@compiled
def concordances(first, second, size, weights):
    """`concordance` of every row of `first` with every row of `second`, both given by levels."""
    order, spare = np.empty(len(weights), np.int64), np.empty(len(weights), np.int64)
    found = np.empty((len(first), len(second)))
    for i in range(len(first)):
        sort_by_digits(first[i], order, spare)
        for j in range(len(second)):
            found[i, j] = concordance(first[i], order, second[j], size, weights)
    return found


@compiled
def pooled(ranks, levels, size, weights, counts, kendall):
    """How the pooled ranks of all subjects, and of all others, agree with those of each subject.

    For each row of `counts` (how often each subject is drawn) and each subject: sums of products
    of doubled, centred ranks, and the squares of the pooled ones; or concordances. The third axis
    is others, all.
    """
    many, size_of_all = ranks.shape
    order, spare, everyone, keys, again = np.empty((5, size_of_all), np.int64)
    products = np.zeros((len(counts), many, 2))
    squares = np.zeros((len(counts), many, 2))
    for draw in range(len(counts)):
        everyone[:] = 0
        distinct = 0
        for s in range(many):
            distinct += counts[draw, s] > 0
            if counts[draw, s] > 0:
                everyone += counts[draw, s] * ranks[s]
        for left in range(-1, many):  # -1: nobody is left out
            if left >= 0 and counts[draw, left] == 0:
                continue
            keys[:] = everyone
            if left >= 0 and distinct > 1:
                keys -= counts[draw, left] * ranks[left]
            sort_by_digits(keys, order, spare)
            if not kendall:
                rank_keys(keys, weights, order, again)
            for s in range(many):
                if counts[draw, s] == 0 or (left >= 0 and s != left):
                    continue
                kind = 1 if left < 0 else 0
                if kendall:
                    products[draw, s, kind] = concordance(keys, order, levels[s], size, weights)
                    continue
                for p in range(size_of_all):
                    weighted = float(weights[p]) * again[p]
                    products[draw, s, kind] += weighted * ranks[s, p]
                    squares[draw, s, kind] += weighted * again[p]
    return products, squares
