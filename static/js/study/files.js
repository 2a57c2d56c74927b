// Files of blocks, fetched before their block begins, so that it begins at once.

/** Larger ones are played while they load: a phone's memory is small. */
const LARGEST_FETCHED = 60 * 1024 * 1024;
const WAITS_MILLISECONDS = [1000, 2000, 4000, 8000];

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

export class Files {
  /** Id of a block to a promise of its file's URL. */
  #urls = new Map();

  /** The URL of a block's file, which is there; null for a block without one. */
  get(block) {
    if (!block?.file) return Promise.resolve(null);
    if (!this.#urls.has(block.id)) {
      const found = block.bytes > LARGEST_FETCHED
        ? Promise.resolve(block.file) : this.#fetch(block.file);
      this.#urls.set(block.id, found);
      // What could not be had may be there the next time.
      found.catch(() => this.#urls.delete(block.id));
    }
    return this.#urls.get(block.id);
  }

  /** Begin to fetch; whoever gets it later waits for it. */
  prepare(block) {
    this.get(block).catch(() => {});
  }

  async release(block) {
    const url = await this.#urls.get(block?.id)?.catch(() => null);
    this.#urls.delete(block?.id);
    if (url?.startsWith("blob:")) URL.revokeObjectURL(url);
  }

  async #fetch(address) {
    for (const wait of [...WAITS_MILLISECONDS, null]) {
      try {
        const answer = await fetch(address);
        if (answer.ok) return URL.createObjectURL(await answer.blob());
      } catch {
        // No network for a moment.
      }
      if (wait !== null) await pause(wait);
    }
    throw new Error("not loaded");
  }
}
