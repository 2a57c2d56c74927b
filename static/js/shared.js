// Photos that were shared with the app from elsewhere on the device. The service worker keeps them
// until the upload page opens, which it does at once.

const DATABASE = "visage-shared";
/** What was shared longer ago was given up, perhaps by somebody else. */
const LONGEST_MILLISECONDS = 10 * 60 * 1000;

const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** The photos as files; they are kept no longer. */
export async function takeShared() {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("photos", { autoIncrement: true });
    const database = await answer(opening);
    const store = database.transaction("photos", "readwrite").objectStore("photos");
    const records = await answer(store.getAll());
    await answer(store.clear());
    database.close();
    return records
      .filter((record) => Date.now() - record.keptAt < LONGEST_MILLISECONDS)
      .map(({ file, name }) => new File([file], name, { type: file.type }));
  } catch {
    return [];
  }
}

export function forgetShared() {
  try { indexedDB.deleteDatabase(DATABASE); } catch { /* Then nothing was kept either. */ }
}
