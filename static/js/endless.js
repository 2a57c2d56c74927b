// A list in pages that goes on by itself: what comes next is added below while one scrolls, and
// Back returns to where one was. The links to the pages stay for who has no JavaScript.
import { fetchDocument } from "./changes.js";

/** How far below the window the end of the list may be when more is fetched. */
const MARGIN = "400px";
const SAVE_MILLISECONDS = 150;

export class Endless {
  /** Addresses of the pages that are shown. */
  pages = [location.href];
  #gallery;
  #link;
  #told;
  #added;
  #coming = null;
  #observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.more();
  }, { rootMargin: `0px 0px ${MARGIN} 0px` });

  /**
   * @param {HTMLElement} gallery lists of cards, each below the heading of its day if there are any
   * @param {HTMLElement} told says how many are shown
   * @param {() => void} added called after cards were added
   */
  constructor(gallery, told, added) {
    this.#gallery = gallery;
    this.#told = told;
    this.#added = added;
    this.#link = document.querySelector('nav a[rel="next"]');
    if (!this.#link) return;
    const place = document.querySelector("nav [data-page]");
    if (place) place.hidden = true;
    this.#link.addEventListener("click", (event) => this.#click(event));
    this.#tell();
    this.#restore();
    // Not before somebody scrolls: who looks at the newest needs no more than they see.
    const begin = () => this.#observer.observe(told);
    if (scrollY > 0) begin();
    else addEventListener("scroll", begin, { once: true, passive: true });
    this.#remember();
  }

  /** Add the next page; false where there is none, or it cannot be had now. */
  more() {
    this.#coming ??= this.#fetch().finally(() => { this.#coming = null; });
    return this.#coming;
  }

  async #fetch() {
    if (this.#link.hidden) return false;
    const url = this.#link.href;
    const page = await fetchDocument(url);
    const gallery = page?.getElementById(this.#gallery.id);
    if (!gallery) return false;
    this.pages.push(url);
    this.#add(gallery);
    const next = page.querySelector('nav a[rel="next"]');
    if (next) this.#link.href = new URL(next.getAttribute("href"), location.href).href;
    else this.#link.hidden = true;
    this.#tell();
    this.#added();
    // Asked anew, because the end may be within reach still.
    this.#observer.unobserve(this.#told);
    if (next && scrollY > 0) this.#observer.observe(this.#told);
    return true;
  }

  /** Cards go below the last ones, and those of the same day into its list. */
  #add(gallery) {
    for (const list of gallery.querySelectorAll("ul")) {
      // What was uploaded meanwhile moves others to the next page: those are here already.
      const known = (item) => document.querySelector(`[data-upload="${this.#id(item)}"]`);
      const items = [...list.children].filter((item) => !known(item));
      if (!items.length) continue;
      const last = [...this.#gallery.querySelectorAll("ul")].at(-1);
      if (last.dataset.day === list.dataset.day) {
        last.append(...items);
      } else {
        list.replaceChildren(...items);
        this.#gallery.append(...[list.previousElementSibling, list].filter(Boolean));
      }
    }
  }

  #id(item) {
    return item.querySelector("[data-upload]").dataset.upload;
  }

  #tell() {
    const shown = this.#gallery.querySelectorAll("[data-upload]").length;
    this.#told.textContent = this.#told.dataset.text.replace("{number}", shown);
  }

  async #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const before = [...this.#gallery.querySelectorAll("[data-upload]")].at(-1);
    if (!await this.more()) {
      location.href = this.#link.href;
    } else if (this.#link.hidden) {
      // The link that had the focus is gone: on to the first photo that it brought.
      const cards = [...this.#gallery.querySelectorAll("[data-upload]")];
      cards[cards.indexOf(before) + 1]?.querySelector("a").focus({ preventScroll: true });
    }
  }

  // The place ----------------------------------------------------------------------------------

  /** Write down which photo is at the top, and how many pages it took to get there. */
  #save() {
    const cards = [...this.#gallery.querySelectorAll("[data-upload]")];
    const card = cards.find((one) => one.getBoundingClientRect().bottom > 0);
    if (!card) return;
    const place = {
      pages: this.pages.length, upload: card.dataset.upload, top: card.getBoundingClientRect().top,
    };
    history.replaceState({ ...history.state, place }, "");
  }

  #remember() {
    let timer = null;
    addEventListener("scroll", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#save(), SAVE_MILLISECONDS);
    }, { passive: true });
    document.addEventListener("click", () => this.#save(), { capture: true });
  }

  async #restore() {
    const place = history.state?.place;
    if (!place || place.pages < 2) return;
    history.scrollRestoration = "manual";
    while (this.pages.length < place.pages && await this.more());
    const card = this.#gallery.querySelector(`[data-upload="${CSS.escape(place.upload)}"]`);
    const go = () => {
      if (card) scrollBy({ top: card.getBoundingClientRect().top - place.top, behavior: "instant" });
    };
    go();
    // Until the page is loaded the browser still looks for its own place, and pictures may come.
    if (document.readyState !== "complete") {
      await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
      go();
    }
    history.scrollRestoration = "auto";
  }
}
