// Registers the service worker, for those signed in: it answers without a network and takes photos
// that are shared with the app. Where it cannot be had, the site does without it.
if (document.body.dataset.user) {
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
}
