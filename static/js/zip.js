// The files of a zip archive. They are unpacked here, so that each photo is uploaded like any other
// and the server never opens an archive. (APPNOTE.TXT, "ZIP File Format Specification", 4.3 and 4.4.)

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const COMMENT_LENGTH = 0xffff;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

/** An archive does not tell the types of its files. */
const TYPES = {
  jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", heic: "image/heic",
  heif: "image/heif", avif: "image/avif", gif: "image/gif", bmp: "image/bmp",
};

export const isZip = (file) => /^application\/(x-)?zip/.test(file.type) || /\.zip$/i.test(file.name);

async function view(archive, start, end) {
  return new DataView(await archive.slice(start, end).arrayBuffer());
}

/** Where the list of entries begins and how long it is; it is told at the end of the archive. */
async function findEntries(archive) {
  const start = Math.max(0, archive.size - END_LENGTH - COMMENT_LENGTH);
  const tail = await view(archive, start, archive.size);
  for (let at = tail.byteLength - END_LENGTH; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) === END) {
      return [tail.getUint32(at + 16, true), tail.getUint32(at + 12, true)];
    }
  }
  throw new Error("no zip archive");
}

/** The bytes of an entry; no more than it says that it has, which keeps a bomb small. */
async function unpacked(archive, entry) {
  const local = await view(archive, entry.offset, entry.offset + 30);
  if (local.getUint32(0, true) !== LOCAL) throw new Error("no entry");
  const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const packed = archive.slice(start, start + entry.packed);
  if (entry.method === STORED) return packed;
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > entry.size) {
      await reader.cancel();
      throw new Error("more than it says");
    }
    parts.push(part.value);
  }
  return new Blob(parts);
}

function named(path, bytes) {
  const name = path.split("/").at(-1);
  return new File([bytes], name, { type: TYPES[name.split(".").at(-1).toLowerCase()] ?? "" });
}

/**
 * All files of `archive` as `{ path, file }`, as those of a folder; one that cannot be read, or has
 * more than `maximumBytes`, has no `file`. Throws where it is no archive that we can read.
 */
export async function filesIn(archive, maximumBytes) {
  const [start, length] = await findEntries(archive);
  const list = await view(archive, start, start + length);
  const found = [];
  for (let at = 0; at + 46 <= list.byteLength;) {
    if (list.getUint32(at, true) !== ENTRY) throw new Error("no entry");
    const entry = {
      flags: list.getUint16(at + 8, true),
      method: list.getUint16(at + 10, true),
      packed: list.getUint32(at + 20, true),
      size: list.getUint32(at + 24, true),
      offset: list.getUint32(at + 42, true),
    };
    const name = new Uint8Array(list.buffer, at + 46, list.getUint16(at + 28, true));
    const path = new TextDecoder().decode(name);
    at += 46 + name.length + list.getUint16(at + 30, true) + list.getUint16(at + 32, true);
    if (path.endsWith("/")) continue;
    const isReadable = !(entry.flags & ENCRYPTED) && [STORED, DEFLATED].includes(entry.method)
      && entry.size <= maximumBytes;
    let file = null;
    try {
      if (isReadable) file = named(path, await unpacked(archive, entry));
    } catch { /* It counts as left out. */ }
    found.push({ path, file });
  }
  return found;
}
