// Two things that a page cannot do: answer while there is no network, and take photos that the
// system shares with the app. It keeps one page and what that is drawn with, and nothing private:
// whatever else is asked for goes to the server, and its answers are not kept.
"use strict";

const OFFLINE = "{{ offline|escapejs }}";
const SHARED = "{{ shared|escapejs }}";
const FILES = [{% for file in files %}"{{ file|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
// The files' names change with their content, and so does this.
const CACHE = `visage-offline ${FILES.join(" ")}`;

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

/** Keep shared photos until the upload page takes them, see shared.js; it has what sending needs. */
async function keep(files) {
  const opening = indexedDB.open("visage-shared", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("photos", { autoIncrement: true });
  const database = await new Promise((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  database.onversionchange = () => database.close();
  const change = database.transaction("photos", "readwrite");
  for (const file of files) change.objectStore("photos").add({ name: file.name, file, keptAt: Date.now() });
  await new Promise((resolve, reject) => {
    change.oncomplete = resolve;
    change.onabort = () => reject(change.error);
  });
  database.close();
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
