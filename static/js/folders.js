// The photos of whole folders, chosen or dropped, with everything below them. A folder also holds
// what nobody meant to upload, so that what is not a photo is left out instead of refused one by one.

/** Whether `file` is a photo by `accept`, a file input's list of types and endings. */
function isPhoto(file, accept) {
  // ".", the copies of details that macOS writes beside photos, "._portrait.jpg", among them.
  if (file.name.startsWith(".")) return false;
  const name = file.name.toLowerCase();
  return accept.split(",").map((one) => one.trim())
    .some((one) => (one.startsWith(".") ? name.endsWith(one) : file.type === one));
}

/** Split the files of a folder into `photos` and the number of `others`, in the order of their paths. */
export function sort(found, accept) {
  const collator = new Intl.Collator(undefined, { numeric: true });
  const photos = found.filter(({ file }) => file && isPhoto(file, accept))
    .sort((one, other) => collator.compare(one.path, other.path))
    .map(({ file }) => file);
  return { photos, others: found.length - photos.length };
}

const wait = (ask) => new Promise((resolve, reject) => { ask(resolve, reject); });

/** All files below `entry` as `{ path, file }`; one that cannot be read has no `file`. */
async function below(entry) {
  const path = entry.fullPath;
  try {
    if (entry.isFile) return [{ path, file: await wait((done, fail) => entry.file(done, fail)) }];
    const reader = entry.createReader();
    const found = [];
    // A reader gives a hundred at a time, and none at the end.
    for (;;) {
      const some = await wait((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return found;
      for (const one of some) found.push(...await below(one));
    }
  } catch {
    return [{ path, file: null }];
  }
}

/**
 * What was dropped: `files` by themselves, and `inFolders`, a promise of those in folders as
 * `{ path, file }`, null where no folder was dropped. To be called while the event is handled, after
 * which the browser tells nothing more.
 */
export function dropped(transfer) {
  const files = [];
  const folders = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) folders.push(entry);
    else files.push(item.getAsFile());
  }
  const inFolders = folders.length
    ? Promise.all(folders.map(below)).then((found) => found.flat())
    : null;
  return { files, inFolders };
}
