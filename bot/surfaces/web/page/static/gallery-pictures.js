// Which pictures are loaded: stills of what is near, moving ones of what is on screen, few at a time. What leaves the
// screen before its turn is never asked for.

const MOST = { still: 4, moving: 2 };
const FILES = { still: "still.webp", moving: "tile.webp" };

// `tiles` gives those that are in the document, in order.
export function makePictures(tiles) {
  const loading = { still: 0, moving: 0 };
  let moves = true;

  const seer = new IntersectionObserver((entries) => {
    for (const entry of entries) see(entry.target.tile, entry.isIntersecting);
    load();
  });

  function see(tile, onScreen) {
    tile.onScreen = onScreen;
    if (!onScreen) tile.drop("moving");
  }

  function wants(tile, kind) {
    return !tile.clip.covered && !tile.pictures[kind] && (kind === "still" || (tile.onScreen && moves));
  }

  function next(kind) {
    const waiting = tiles().filter((tile) => wants(tile, kind));
    return waiting.find((tile) => tile.onScreen) ?? waiting[0];
  }

  function load() {
    for (let tile; loading.still < MOST.still && (tile = next("still")); ) fetchOne(tile, "still");
    if (document.hidden || tiles().some((tile) => tile.onScreen && tile.pictures.still?.pending)) return;
    for (let tile; loading.moving < MOST.moving && (tile = next("moving")); ) fetchOne(tile, "moving");
  }

  // The picture is put up when it can be drawn at once. One that failed stays away until its tile comes anew.
  async function fetchOne(tile, kind) {
    const image = new Image();
    image.alt = "";
    image.className = kind;
    const picture = (tile.pictures[kind] = { image, pending: true });
    loading[kind] += 1;
    image.src = `/gallery/${tile.clip.id}/${FILES[kind]}`;
    await image.decode().then(() => tile.pictures[kind] === picture && tile.well.append(image), () => image.remove());
    picture.pending = false;
    loading[kind] -= 1;
    load();
  }

  return {
    watch: (tile) => seer.observe(tile.node),
    load,
    play(wanted) {
      moves = wanted;
      if (!moves) for (const tile of tiles()) tile.drop("moving");
      load();
    },
  };
}
