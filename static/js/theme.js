// Light or dark, before the first paint: as chosen here, else as the system has it.
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => {
    root.dataset.bsTheme = read() ?? (system.matches ? "dark" : "light");
  };
  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", next); } catch { /* Then it lasts for this page. */ }
      root.dataset.bsTheme = next;
    });
  });
})();
