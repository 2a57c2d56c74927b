// Photos that were shared with the app from elsewhere on the device, or sent there by any site. The
// service worker keeps them until somebody says on the upload page what becomes of them.

const DATABASE = "visage-shared";
/** What was shared longer ago was given up, perhaps by somebody else. */
export const LONGEST_MILLISECONDS = 10 * 60 * 1000;
/** The record that says that not all were kept; the others are photos. */
const LEFT_OUT = "left out";

const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const isOld = (record) => Date.now() - record.keptAt >= LONGEST_MILLISECONDS;

async function withPhotos(act) {
  const opening = indexedDB.open(DATABASE, 1);
  // The service worker makes it: where nothing was shared, nothing is left behind either.
  opening.onupgradeneeded = () => opening.transaction.abort();
  const database = await answer(opening);
  database.onversionchange = () => database.close();
  try {
    return await act(database.transaction("photos", "readwrite").objectStore("photos"));
  } finally {
    database.close();
  }
}

/** Delete what is too old; of the rest, the photos' keys, and whether there was no room for some. */
export async function forgetOldShared() {
  try {
    return await withPhotos(async (store) => {
      const all = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
      const [keys, records] = all;
      for (const [i, key] of keys.entries()) if (isOld(records[i])) store.delete(key);
      const left = keys.filter((_, i) => !isOld(records[i]));
      return { keys: left.filter((key) => key !== LEFT_OUT), isCut: left.includes(LEFT_OUT) };
    });
  } catch {
    return { keys: [], isCut: false };
  }
}

/** The photos with these keys as files; they are kept no longer. Others that came since stay. */
export async function takeShared(keys) {
  try {
    return await withPhotos(async (store) => {
      const records = await Promise.all(keys.map((key) => answer(store.get(key))));
      for (const key of [...keys, LEFT_OUT]) store.delete(key);
      return records
        .filter((record) => record && !isOld(record))
        .map(({ file, name }) => new File([file], name, { type: file.type }));
    });
  } catch {
    return [];
  }
}

export function forgetShared() {
  try { indexedDB.deleteDatabase(DATABASE); } catch { /* Then nothing was kept either. */ }
}
