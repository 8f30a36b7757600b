// The API's offsets count code points; JavaScript's strings count UTF-16 units, of which an emoji has two.

export class Text {
  /** @param {string} string */
  constructor(string) {
    this.string = string;
    const points = [...string];
    this.length = points.length;
    this.units = null;
    if (points.length !== string.length) {
      this.units = new Uint32Array(points.length + 1);
      points.forEach((point, at) => (this.units[at + 1] = this.units[at] + point.length));
    }
  }

  /** Cut from one offset to another, both in code points. */
  slice(start, end) {
    return this.units ? this.string.slice(this.units[start], this.units[end]) : this.string.slice(start, end);
  }
}

/**
 * Cut a span at every edge of the spans in it, so that each piece lies wholly inside or outside of each.
 * @param {number} start
 * @param {number} end
 * @param {{start: number, end: number}[]} spans may overlap
 * @returns {{start: number, end: number, in: object[]}[]} the pieces in order, each with the spans that it is in
 */
export function pieces(start, end, spans) {
  const inside = spans.filter((span) => span.end > start && span.start < end);
  const edges = new Set([start, end]);
  for (const span of inside) {
    edges.add(Math.max(span.start, start));
    edges.add(Math.min(span.end, end));
  }
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(1).map((to, at) => {
    const from = sorted[at];
    return { start: from, end: to, in: inside.filter((span) => span.start <= from && span.end >= to) };
  });
}
