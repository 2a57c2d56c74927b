// Buttons that copy a field: data-copy names it, data-copied is what the button then says.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch { /* The key is selected, so that it can be copied by hand. */ }
  });
}
