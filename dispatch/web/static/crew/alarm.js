// A new job is heard and felt, again and again, until it is accepted or silenced.
const AGAIN_MS = 20_000;
const TONES = [[880, 0], [1175, 0.25], [880, 0.5]];
let audio = null;
let ringing = "";
let timer = null;

// Browsers give sound only to a page that somebody has touched.
for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, () => { (audio ??= new AudioContext()).resume(); }, { passive: true });

/** Ring for these jobs (names of tickets and rounds); a new one rings at once. */
export function ringFor(names) {
  const isNew = names.some((name) => !ringing.split(" ").includes(name));
  ringing = names.join(" ");
  document.documentElement.dataset.ringing = String(names.length);
  if (!names.length) clearInterval(timer);
  else if (isNew) {
    clearInterval(timer);
    timer = setInterval(ring, AGAIN_MS);
    ring();
  }
}

function ring() {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 150, 300, 150, 600]);
  document.documentElement.dataset.rung = String(Number(document.documentElement.dataset.rung ?? 0) + 1);
  if (audio?.state !== "running") return;
  for (const [hertz, after_s] of TONES) tone(hertz, audio.currentTime + after_s);
}

function tone(hertz, at) {
  const [source, volume] = [audio.createOscillator(), audio.createGain()];
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0.4, at);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.22);
  source.connect(volume).connect(audio.destination);
  source.start(at);
  source.stop(at + 0.23);
}
