// Keeps the crew's page on the phone, so that it opens in a cellar. Above this line the server put VERSION and SHELL.
// What the page says and knows comes from the network where there is one; what it does waits in IndexedDB, not here.
const PATIENCE_MS = 3_000;
const TRUST_MS = 20_000;
const PAGE = "/crew";
const CACHE = `crew-${VERSION}`;
let lostAt = 0;

self.addEventListener("install", (event) => {
  event.waitUntil(install().then(() => self.skipWaiting()));
});

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(SHELL.map(async (path) => {
    const answer = await fetch(path, { cache: "no-cache" });
    if (answer.ok && !answer.redirected) await cache.put(path, answer);
    else if (path !== PAGE) throw new Error(`${path}: ${answer.status}`);
  }));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("crew-") && name !== CACHE).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

self.addEventListener("push", (event) => {
  const { title, body, number, url } = event.data?.json() ?? { title: "96533", body: "", url: PAGE };
  event.waitUntil(self.registration.showNotification(title, {
    body, tag: number ?? "96533", renotify: true, icon: "/static/crew/icon-192.png", data: { url },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(toPage(event.notification.data.url));
});

async function toPage(url) {
  const open = await self.clients.matchAll({ type: "window" });
  const page = open.find((client) => new URL(client.url).pathname === PAGE);
  await (page ? page.focus() : self.clients.openWindow(url));
}

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method === "GET" && origin === self.location.origin && SHELL.includes(pathname)) event.respondWith(answer(event, pathname));
});

async function answer(event, path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  // Where the network was just found missing, one file after another need not find out again.
  if (kept && Date.now() - lostAt < TRUST_MS && path !== PAGE) return kept;
  const fetched = fetch(event.request).then((fresh) => {
    lostAt = 0;
    if (fresh.ok && !fresh.redirected && fresh.type === "basic") event.waitUntil(cache.put(path, fresh.clone()));
    return fresh;
  });
  event.waitUntil(fetched.catch(() => null));
  if (!kept) return fetched;
  const late = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  const fresh = await Promise.race([fetched.catch(() => null), late]);
  if (fresh && fresh.status < 500) return fresh;
  lostAt = Date.now();
  return kept;
}
