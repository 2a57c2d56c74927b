// Two things that a page cannot do: answer while there is no network, and take photos that the
// system shares with the app. It keeps one page and what that is drawn with, and nothing private:
// whatever else is asked for goes to the server, and its answers are not kept.
"use strict";

const OFFLINE = "{{ offline|escapejs }}";
const SHARED = "{{ shared|escapejs }}";
const FILES = [{% for file in files %}"{{ file|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
// The files' names change with their content, the page's address does not: this changes with both.
const CACHE = `visage-offline {{ version|escapejs }} ${FILES.join(" ")}`;

const MOST_PHOTOS = 100;
const MOST_BYTES = 100 * 1000 * 1000;
const LONGEST_NAME = 255;
/** As in shared.js. */
const LONGEST_MILLISECONDS = 10 * 60 * 1000;

async function fill() {
  const cache = await caches.open(CACHE);
  // Without cookies: as it is for nobody in particular.
  const asked = [OFFLINE, ...FILES].map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  await cache.addAll(asked);
}

async function clean() {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

/**
 * Keep shared photos until somebody says on the upload page what becomes of them, see shared.js.
 * Any site can send a form here: only so much is kept, and nothing is uploaded by itself.
 */
async function keep(files) {
  const opening = indexedDB.open("visage-shared", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("photos", { autoIncrement: true });
  const database = await new Promise((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  database.onversionchange = () => database.close();
  const change = database.transaction("photos", "readwrite");
  const store = change.objectStore("photos");
  const keptAt = Date.now();
  let photos = 0;
  let bytes = 0;
  const add = (file) => {
    if (photos + 1 > MOST_PHOTOS || bytes + file.size > MOST_BYTES) {
      store.put({ keptAt }, "left out");
      return;
    }
    photos += 1;
    bytes += file.size;
    store.add({ name: file.name.slice(-LONGEST_NAME), file, keptAt });
  };
  store.openCursor().onsuccess = ({ target }) => {
    const cursor = target.result;
    if (!cursor) {
      files.forEach(add);
      return;
    }
    const kept = cursor.value;
    if (keptAt - kept.keptAt >= LONGEST_MILLISECONDS) {
      cursor.delete();
    } else if (kept.file) {
      photos += 1;
      bytes += kept.file.size;
    }
    cursor.continue();
  };
  try {
    await new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = () => reject(change.error);
    });
  } finally {
    database.close();
  }
}

async function share(request) {
  try {
    await keep((await request.formData()).getAll("images").filter((file) => file instanceof File));
  } catch { /* The page comes up without them, as a share that was cancelled. */ }
  return Response.redirect(SHARED, 303);
}

self.addEventListener("install", (event) => { self.skipWaiting(); event.waitUntil(fill()); });
self.addEventListener("activate", (event) => event.waitUntil(clean()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === SHARED) {
    event.respondWith(share(request));
  } else if (request.method === "GET" && request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});
