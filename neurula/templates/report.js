"use strict";
(() => {
  const root = document.documentElement;
  const element = (name) => document.getElementById(name);
  const look = JSON.parse(element("look").textContent);
  const boxes = [...document.querySelectorAll(".plot")];
  const narrow = new Map(); // of each drawn plot: was there little room?
  const touch = matchMedia("(pointer: coarse)");
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendChartToCloud"],
    displayModeBar: touch.matches ? false : "hover",
    toImageButtonOptions: { format: "svg" },
  };
  const ink = () => getComputedStyle(document.body).color;

  // ---- pictures: drawn when they come near, in the colours and the room that there are

  function figure(box, room) {
    const { data, layout } = JSON.parse(element(`${box.id}--data`).textContent);
    layout.template = look;
    layout.autosize = true;
    layout.font = { ...layout.font, color: ink() };
    if (touch.matches) layout.dragmode = false; // a finger scrolls the page
    if (room < 560 && layout.annotations?.some((one) => one.name === "end of a curve")) {
      layout.annotations = layout.annotations.filter((one) => one.name !== "end of a curve");
      layout.showlegend = true;
      layout.margin = { ...layout.margin, r: 12 };
    }
    return { data, layout };
  }

  function draw(box, room = box.clientWidth) {
    if (room < 100 || narrow.get(box) === room < 560) return;
    const { data, layout } = figure(box, room);
    const options = { ...config, toImageButtonOptions: { format: "svg", filename: box.id } };
    try {
      Plotly.react(box, data, layout, options).then(() => describe(box));
      narrow.set(box, room < 560);
    } catch (error) {
      box.textContent = `This picture could not be drawn: ${error.message}`;
      near.unobserve(box);
      console.error(box.id, error);
    }
  }

  function describe(box) {
    box.querySelectorAll("svg.main-svg").forEach((svg, index) => {
      if (index) svg.setAttribute("aria-hidden", "true");
      else {
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", box.dataset.words);
      }
    });
  }

  function drawAll() {
    boxes.forEach((box) => draw(box));
  }

  function recolour() {
    for (const box of narrow.keys()) Plotly.relayout(box, { "font.color": ink() });
  }

  const near = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => draw(one.target)),
    { rootMargin: "600px" },
  );
  boxes.forEach((box) => near.observe(box));
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => narrow.forEach((_, box) => draw(box)), 200);
  });

  function saveDrawing(box) {
    const { data, layout } = figure(box, 900);
    layout.font.color = "#1c2127"; // on paper, whatever the screen
    layout.paper_bgcolor = "#fff";
    const size = { width: 900, height: box.clientHeight };
    Plotly.downloadImage({ data, layout }, { format: "svg", filename: box.id, ...size });
  }

  // ---- tables as files: whole numbers, and no text that a spreadsheet takes for a formula

  function quoted(cell) {
    const number = cell.querySelector("data")?.value;
    const words = cell.textContent.replace(/\s+/g, " ").trim(); // also where it is folded away
    const text = number ?? words.replace(/^[●○✖◇] /, "");
    const safe = number === undefined && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  }

  function csv(table) {
    return [...table.rows].map((row) => [...row.cells].map(quoted).join(",")).join("\r\n") + "\r\n";
  }

  function saveTable(table) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv" }));
    link.download = `${table.id}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      say("Copied");
    } catch {
      getSelection().selectAllChildren(code); // then the reader's own copy works
      say("Selected: press Ctrl+C");
    }
  }

  function say(text) {
    element("status").textContent = text;
  }

  addEventListener("click", (event) => {
    const asked = event.target.closest?.("button")?.dataset ?? {};
    if (asked.plot) saveDrawing(element(asked.plot));
    if (asked.table) saveTable(element(asked.table));
    if (asked.copy) copy(element(asked.copy));
  });

  // ---- light and dark, paper

  const button = element("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  function show() {
    button.setAttribute("aria-pressed", String(isDark()));
    recolour();
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  show();

  let before;
  addEventListener("beforeprint", () => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    before = { theme: root.dataset.theme, closed };
    closed.forEach((one) => (one.open = true));
    root.dataset.theme = "light";
    boxes.forEach((box) => draw(box));
    for (const box of boxes) Plotly.relayout(box, { "font.color": ink(), width: 680 });
  });
  addEventListener("afterprint", () => {
    before.closed.forEach((one) => (one.open = false));
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    for (const box of boxes) Plotly.relayout(box, { width: null, autosize: true, "font.color": ink() });
  });

  window.neurula = { csv, drawAll };
})();
