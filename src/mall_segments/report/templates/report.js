"use strict";

(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("report-data");
  const charts = read("report-charts");
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);

  function showTheme() {
    button.setAttribute("aria-pressed", String(isDark()));
  }

  // Colours are CSS variables, so that a change of theme draws nothing again.
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  prefersDark.addEventListener("change", showTheme);
  showTheme();

  async function draw(figure) {
    const spec = charts[figure.dataset.chart];
    const rows = spec.usermeta.datasets.map((name) => [name, data[name]]);
    spec.datasets = { ...spec.datasets, ...Object.fromEntries(rows) };
    const options = { renderer: "svg", actions: false, tooltip: { theme: "report" } };
    // Vega gives its element a role of its own; the words stand on the one around it.
    const place = figure.querySelector(".drawing").appendChild(document.createElement("div"));
    await window.vegaEmbed(place, spec, options);
    place.setAttribute("aria-hidden", "true");
    figure.dataset.drawn = "true";
  }

  async function drawAll() {
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      await draw(figure);
    }
    root.dataset.drawn = "true";
  }

  drawAll();
})();
