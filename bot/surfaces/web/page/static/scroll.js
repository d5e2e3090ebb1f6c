// The newest card is at the end. Who is there stays there while the page grows; who has scrolled away is left in peace.

const NEAR = 120; // pixels

export function keepAtEnd() {
  const page = document.documentElement;
  let isAtEnd = true;
  const toEnd = () => scrollTo({ top: page.scrollHeight, behavior: "instant" });
  addEventListener("scroll", () => (isAtEnd = innerHeight + scrollY >= page.scrollHeight - NEAR), { passive: true });
  new ResizeObserver(() => isAtEnd && toEnd()).observe(document.body);
  return toEnd;
}
