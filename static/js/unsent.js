// Photos that were chosen and have not been sent yet. They outlive the page, so that leaving it loses
// none: the next visit of the upload page sends them. Only for the person who chose them, and gone
// once they sign out.

const DATABASE = "visage-unsent";
const STORE = "photos";
/** What nobody came back for is not kept any longer. */
const LONGEST_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  const database = await answer(request);
  // Signing out in another tab must not wait for this one.
  database.onversionchange = () => database.close();
  return database;
}

async function withStore(mode, act) {
  const database = await open();
  try {
    return await act(database.transaction(STORE, mode).objectStore(STORE));
  } finally {
    database.close();
  }
}

/** A key that makes a repeated request harmless: the server creates nothing twice for it. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A page holds a lock as long as it is open; its photos are its own until then. */
const page = newKey();
navigator.locks?.request(`visage-upload-${page}`, () => new Promise(() => {}));

/** How many this page has kept: many are chosen in one millisecond. */
let turn = 0;

/** Keep a photo of `owner`; false where the browser has no room for it. */
export async function keep(owner, key, file) {
  const name = file.name || "";
  const record = { key, owner, page, name, file, keptAt: Date.now(), turn: turn++ };
  try {
    await withStore("readwrite", (store) => answer(store.put(record)));
    return true;
  } catch {
    return false;
  }
}

export async function forget(key) {
  try {
    await withStore("readwrite", (store) => answer(store.delete(key)));
  } catch { /* It is sent again, which its key makes harmless. */ }
}

/** Photos that `owner` chose on pages that are closed by now, oldest first; the others' are deleted. */
export async function left(owner) {
  try {
    const locks = (await navigator.locks?.query())?.held.map((lock) => lock.name) ?? [];
    const records = await withStore("readonly", (store) => answer(store.getAll()));
    const isOurs = (record) => record.owner === owner
      && Date.now() - record.keptAt < LONGEST_MILLISECONDS;
    for (const record of records) if (!isOurs(record)) await forget(record.key);
    const found = records.filter((record) =>
      isOurs(record) && !locks.includes(`visage-upload-${record.page}`));
    found.sort((one, other) => one.keptAt - other.keptAt || one.turn - other.turn);
    for (const record of found) await keep(owner, record.key, record.file);
    return found;
  } catch {
    return [];
  }
}

/** Delete what others left here who have not signed out. */
export async function forgetOthers(owner) {
  try {
    const records = await withStore("readonly", (store) => answer(store.getAll()));
    for (const record of records) if (record.owner !== owner) await forget(record.key);
  } catch { /* The upload page looks again. */ }
}

export function forgetAll() {
  try { indexedDB.deleteDatabase(DATABASE); } catch { /* Then nothing was kept either. */ }
}
