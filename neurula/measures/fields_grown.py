"""A field grown downwards from its peak, threshold by threshold, until it bursts: compiled loops.

The adaptive threshold of the Behavioural Neurology Toolbox and of opexebo (Kavli Institute,
Trondheim; no paper of its own). `numba` is imported with this file, so it is imported late.
"""

from .compiling import compiled

STEP = 0.02  # from one threshold to the next, as a share of the peak
LOWEST = 0.2  # share of the peak at which growing ends
PATIENCE = 10  # steps without growth, after which a field is complete


@compiled
def opened(image):
    """Peaks cut flat: the image's cross-shaped erosion, rebuilt under the image.

    The highest value that can be reached from the eroded image by walks (eight neighbours) that
    never rise above the image (Vincent 1993, IEEE Trans. Image Process. 2:176).
    """
    height, width = image.shape
    found = image.copy()
    for i in range(height):
        for j in range(width):
            if i > 0:
                found[i, j] = min(found[i, j], image[i - 1, j])
            if i < height - 1:
                found[i, j] = min(found[i, j], image[i + 1, j])
            if j > 0:
                found[i, j] = min(found[i, j], image[i, j - 1])
            if j < width - 1:
                found[i, j] = min(found[i, j], image[i, j + 1])
    changed = True
    while changed:
        changed = False
        for way in (1, -1):
            for a in range(height):
                i = a if way == 1 else height - 1 - a
                for b in range(width):
                    j = b if way == 1 else width - 1 - b
                    best = found[i, j]
                    if 0 <= j - way < width:
                        best = max(best, found[i, j - way])
                    if 0 <= i - way < height:
                        for c in range(max(j - 1, 0), min(j + 2, width)):
                            best = max(best, found[i - way, c])
                    best = min(best, image[i, j])
                    if best > found[i, j]:
                        found[i, j] = best
                        changed = True
    return found


@compiled
def blank(field, box):
    """Empty a mask within a box; slices of arrays would take seconds to compile."""
    for i in range(box[0], box[1] + 1):
        for j in range(box[2], box[3] + 1):
            field[i, j] = False


@compiled
def component(image, row, column, threshold, field, box, stack):
    """Mark in `field` what hangs together with a bin at or above a threshold; how many bins.

    The field's `box` (first and last row, first and last column) is written, too.
    """
    height, width = image.shape
    blank(field, box)
    box[0], box[1], box[2], box[3] = row, row, column, column
    field[row, column] = True
    stack[0] = row * width + column
    area = high = 1
    while high:
        high -= 1
        i, j = stack[high] // width, stack[high] % width
        box[0], box[1] = min(box[0], i), max(box[1], i)
        box[2], box[3] = min(box[2], j), max(box[3], j)
        for k in range(4):
            a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
            if 0 <= a < height and 0 <= b < width and not field[a, b] and image[a, b] >= threshold:
                field[a, b] = True
                stack[high] = a * width + b
                high += 1
                area += 1
    return area


@compiled
def hollow(field, box, visited, outside, stack):
    """Whether a field has a hole that holds a visited bin."""
    width, high = field.shape[1], 0
    blank(outside, box)
    for i in range(box[0], box[1] + 1):
        for j in range(box[2], box[3] + 1):
            edge = i == box[0] or i == box[1] or j == box[2] or j == box[3]
            if edge and not field[i, j]:
                outside[i, j] = True
                stack[high] = i * width + j
                high += 1
    while high:
        high -= 1
        i, j = stack[high] // width, stack[high] % width
        for k in range(4):
            a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
            inside = box[0] <= a <= box[1] and box[2] <= b <= box[3]
            if inside and not outside[a, b] and not field[a, b]:
                outside[a, b] = True
                stack[high] = a * width + b
                high += 1
    for i in range(box[0], box[1] + 1):
        for j in range(box[2], box[3] + 1):
            if not field[i, j] and not outside[i, j] and visited[i, j]:
                return True
    return False


@compiled
def area_at(image, visited, peaks, which, share, field, outside, box, stack):
    """Bins of the field at a share of its peak; -1 where it has holes or swallows a peak."""
    row, column = peaks[which, 0], peaks[which, 1]
    area = component(image, row, column, image[row, column] * share, field, box, stack)
    for k in range(peaks.shape[0]):
        if k != which and field[peaks[k, 0], peaks[k, 1]]:
            return -1
    return -1 if hollow(field, box, visited, outside, stack) else area


@compiled
def keep(field, best):
    """Copy one mask onto another."""
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            best[i, j] = field[i, j]


@compiled
def grow(image, visited, peaks, which, first, best, field, outside, box, stack):
    """Write into `best` the field of one peak of an `opened` image; empty: none can be grown.

    From the share `first` of the peak downwards. It ends before a step that swallows another peak,
    closes a hole, or grows three times as much as the first step did. The last four are scratch.
    """
    growth, begin, before = 0.0, first, -1
    for attempt in range(5):  # a hole at the first threshold: try above it
        share = first if attempt == 0 else first + 0.01 + (0.99 - first) * (attempt - 1) / 3
        lower = share - (STEP if attempt == 0 else 0.01)
        area = area_at(image, visited, peaks, which, share, field, outside, box, stack)
        if area > 0:
            keep(field, best)
            before = area_at(image, visited, peaks, which, lower, field, outside, box, stack)
            if before > 0:
                growth, begin = before / area, share if attempt == 0 else lower
                break
    steps, still, shrinking = int((begin - LOWEST) / STEP) + 1, 0, 0
    for k in range(steps if growth > 0 else 0):
        share = int(100 * (begin + (LOWEST - begin) * k / max(steps - 1, 1)) + 0.5) / 100
        area = area_at(image, visited, peaks, which, share, field, outside, box, stack)
        shrinking = shrinking + 1 if area < before else 0
        if area < 0 or area / before / growth >= 3 or shrinking > 2:
            return
        still = still + 1 if area == before else 0
        if still >= PATIENCE:
            return
        before = area
        keep(field, best)
