// A small IndexedDB: `queue` holds what is to be sent, in the order of its keys; `kept` holds values by name.
const NAME = "crew";
let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
      request.result.createObjectStore("kept");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/**
 * Change the database in one transaction; resolves when it is on the disk, not before.
 * @param {({queue, kept}) => any} change gets the two object stores
 */
export async function write(change) {
  const db = await open();
  const tx = db.transaction(["queue", "kept"], "readwrite", { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  const result = change({ queue: tx.objectStore("queue"), kept: tx.objectStore("kept") });
  await done;
  return result instanceof IDBRequest ? result.result : result;
}

async function store(name) {
  const db = await open();
  return db.transaction(name).objectStore(name);
}

/** Return everything that waits, first one first. */
export async function waiting() {
  return answered((await store("queue")).getAll());
}

/** Return what is kept under a name. */
export async function kept(name) {
  return answered((await store("kept")).get(name));
}

/** Keep a value under a name. */
export function keep(name, value) {
  return write(({ kept: values }) => { values.put(value, name); });
}
