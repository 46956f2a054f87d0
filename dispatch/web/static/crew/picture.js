// A photo as it is queued: shrunk on the phone where it can, since a field has little signal. The server does it anyway.
const EDGE_PX = 2048;
const SMALL_BYTES = 700_000;

/** Return a JPEG of at most 2,048 px, or the file as it is where the browser cannot read it. */
export async function shrunk(file) {
  if (file.type === "image/jpeg" && file.size <= SMALL_BYTES) return file;
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE_PX / Math.max(image.width, image.height));
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return (await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85))) ?? file;
  } catch {
    return file;
  }
}
