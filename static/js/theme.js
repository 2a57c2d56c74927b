// Light or dark, before the first paint: as chosen here, else as the system has it.
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const colour = document.querySelector('meta[name="theme-color"]');
  const show = (theme) => {
    root.dataset.bsTheme = theme;
    root.classList.toggle("dark-mode", theme === "dark"); // Swagger UI's name for it.
    // What the system draws around an installed app is as dark as its header.
    if (colour) colour.content = theme === "dark" ? "#212529" : "#ffffff";
  };
  const apply = () => {
    show(read() ?? (system.matches ? "dark" : "light"));
  };
  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return; // What participants of studies see has the system's theme.
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", next); } catch { /* Then it lasts for this page. */ }
      show(next);
    });
  });
})();
