"""What keeps a page from people who do not see it well, or at all: found in a real browser.

Rules after WCAG 2.2: 1.1.1, 1.3.1, 1.4.3, 2.4.2, 2.4.6, 3.1.1, 4.1.2.
"""

PROBLEMS = r"""
(() => {
  const found = [], say = (what, e) =>
    found.push(what + ": " + e.outerHTML.replace(/\s+/g, " ").slice(0, 120));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (e) => {
    const box = e.getBoundingClientRect(), look = getComputedStyle(e);
    return box.width > 1 && box.height > 1 && look.visibility === "visible" &&
      +look.opacity > 0 && !e.closest("[aria-hidden=true], [hidden]");
  };
  const name = (e) => {
    const by = (e.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const told = by.map((id) => (document.getElementById(id) || {textContent: ""}).textContent);
    return (e.getAttribute("aria-label") || told.join(" ") || e.textContent || "").trim();
  };
  if (!document.documentElement.lang) say("no language", document.documentElement.firstChild);
  if (!document.title.trim()) say("no title", document.head);
  if (all("main").length !== 1) say("not one main part", document.body);
  if (all("h1").length !== 1) say("not one h1", document.body);
  const levels = all("h1, h2, h3, h4, h5, h6");
  levels.forEach((e, k) => {
    if (k && +e.tagName[1] > +levels[k - 1].tagName[1] + 1) say("a level is left out", e);
    if (!e.textContent.trim()) say("an empty heading", e);
  });
  const ids = all("[id]").map((e) => e.id);
  all("[id]").forEach((e, k) => { if (ids.indexOf(e.id) !== k) say("an id twice", e); });
  for (const kind of ["aria-labelledby", "aria-describedby", "aria-controls"])
    all("[" + kind + "]").forEach((e) => e.getAttribute(kind).split(/\s+/).forEach((id) => {
      if (!document.getElementById(id)) say(kind + " leads nowhere", e);
    }));
  all("a[href], button, summary, [tabindex='0'], [role=img], [role=region], input, select, img")
    .filter(shown).forEach((e) => { if (!name(e)) say("no name", e); });
  all("a[href^='#']").forEach((e) => {
    const id = decodeURIComponent(e.getAttribute("href").slice(1));
    if (id && !document.getElementById(id)) say("a link leads nowhere", e);
  });
  all("main table").forEach((e) => { if (!e.caption) say("no caption", e); });
  all("main th").forEach((e) => { if (!e.scope) say("no scope", e); });
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((x) => x / 255);
  };
  const linear = (x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  const light = (c) => c.slice(0, 3).map(linear)
    .reduce((sum, x, k) => sum + [0.2126, 0.7152, 0.0722][k] * x, 0);
  const over = (top, below) => [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3]));
  const ground = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) layers.push(c);
    }
    return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1]);
  };
  all("body *").filter((e) => shown(e) &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).forEach((e) => {
    if (e.closest("script, style, .skip, .sr, g.heatmaplayer, .hoverlayer")) return;
    const look = getComputedStyle(e), drawn = e instanceof SVGElement;
    const below = ground(e), ink = rgba(drawn ? look.fill : look.color);
    const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
    const size = parseFloat(look.fontSize);
    const large = size >= 24 || (size >= 18.66 && +look.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) say("contrast " + ratio.toFixed(2), e);
  });
  return found;
})()
"""
