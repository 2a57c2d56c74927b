// The server writes times in its own time zone; here they become the reader's.
const language = document.documentElement.lang;
// English as the reader's own computer writes it; else the page's language.
const locale = navigator.languages?.find((name) => name.split("-")[0] === language) ?? language;
const format = new Intl.DateTimeFormat(locale, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
});

function localise(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-local])")) {
    element.dataset.local = "";
    element.textContent = format.format(new Date(element.dateTime));
  }
}

localise(document);
// Results and cards come later, too.
new MutationObserver(() => localise(document)).observe(document.body, {
  childList: true, subtree: true,
});
